"""Every public class, function and method is documented, with an example that runs against a real service."""

from __future__ import annotations
import __future__

import ast
import asyncio
import contextlib
import doctest
import importlib
import inspect
import io
import sys
import types
from collections.abc import Iterator

import pytest

import rejoin
from rejoin import aio, dbapi

MODULES = [
    importlib.import_module(f"rejoin{name}")
    for name in (
        "",
        ".activities",
        ".activity",
        ".aio",
        ".background",
        ".dbapi",
        ".errors",
        ".result",
        ".rows",
        ".service",
        ".session",
        ".sqlalchemy",
    )
]

#: Methods of these are called by SQLAlchemy, and by nobody else.
HOOKS = importlib.import_module("rejoin.sqlalchemy").__all__


def public(module: types.ModuleType) -> Iterator[tuple[str, object]]:
    """What a module offers that is documented by itself."""
    for name in module.__all__:
        thing = getattr(module, name)
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__.startswith("rejoin"):
            yield f"{module.__name__}.{name}", thing


def members(name: str, cls: type) -> Iterator[tuple[str, object]]:
    """The methods and properties of a class that have no underscore."""
    for member in dir(cls):
        found = inspect.getattr_static(cls, member)
        if isinstance(found, classmethod | staticmethod):
            found = found.__func__
        ours = getattr(found, "__module__", None) or getattr(getattr(found, "fget", None), "__module__", None) or ""
        if not member.startswith("_") and ours.startswith("rejoin") and (inspect.isfunction(found) or isinstance(found, property)):
            yield f"{name}.{member}", found


def every() -> dict[str, object]:
    """Everything public, once, by one of its names."""
    found: dict[object, str] = {}
    for module in MODULES:
        for name, thing in public(module):
            found.setdefault(thing, name)
            if inspect.isclass(thing) and thing.__name__ not in HOOKS:
                for member, method in members(name, thing):
                    found.setdefault(method, member)
    return {name: thing for thing, name in found.items()}


EVERY = every()


def examples(thing: object) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(thing.__doc__ or "")


def twin(name: str) -> object | None:
    """What the blocking client has in its place: the example there is one for both."""
    cls, _, member = name.removeprefix("rejoin.aio.").removeprefix("rejoin.").partition(".")
    return next((thing for key, thing in EVERY.items() if member and key.endswith(f".{cls.removeprefix('Async')}.{member}")), None)


def has_example(name: str, thing: object) -> bool:
    if isinstance(thing, property):
        return True
    if inspect.isclass(thing) and (issubclass(thing, Exception) or thing.__name__ in {"Rows", "Text", "Bytes", *HOOKS}):
        # The examples of exceptions are those of the classes above them; the others are marks, and have that of their module.
        return True
    if not inspect.isclass(thing) and name.split(".")[-2].startswith("Async"):
        other = twin(name)
        return isinstance(other, property) or bool(examples(other))
    return bool(examples(thing))


def test_everything_public_is_documented_and_has_an_example():
    assert len(EVERY) > 300
    assert [name for name, thing in EVERY.items() if not (thing.__doc__ or "").strip()] == []
    assert [name for name, thing in EVERY.items() if not has_example(name, thing)] == []


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    from test_documentation import started_demo

    with started_demo(tmp_path_factory.mktemp("demo")) as address:
        yield f"http://{address}"


@pytest.fixture
def names(demo):
    """What the examples may use."""
    with contextlib.ExitStack() as opened:
        service = opened.enter_context(rejoin.connect(demo, "demo"))
        connection = opened.enter_context(dbapi.connect(demo, "demo"))
        session = opened.enter_context(service.session())
        yield {"rejoin": rejoin, "dbapi": dbapi, "url": demo, "service": service, "session": session, "connection": connection}
        connection.rollback() if connection._session is not None else None


def run(source: str, names: dict[str, object], loop: asyncio.AbstractEventLoop) -> str:
    """What an example prints; it may await."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | __future__.annotations.compiler_flag
    code = compile(source, "<example>", "single", flags, dont_inherit=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            waiting = types.FunctionType(code, names)()
            if inspect.iscoroutine(waiting):
                loop.run_until_complete(waiting)
        except Exception as error:
            print(f"Traceback (most recent call last):\n{type(error).__module__}.{type(error).__name__}: {error}")
    return printed.getvalue()


def matches(printed: str, wanted: str) -> bool:
    # `…` stands for anything within a line.
    return doctest.OutputChecker().check_output(wanted.replace("…", "..."), printed.replace("…", "..."), doctest.ELLIPSIS)


@pytest.mark.parametrize("name", [name for name, thing in EVERY.items() if examples(thing)])
def test_its_example_runs(name, names):
    thing = EVERY[name]
    names = {**vars(sys.modules[thing.__module__]), **names}
    # The one of the package is its own.
    names["connect"] = rejoin.connect
    with asyncio.Runner() as runner:
        for example in examples(thing):
            printed = run(example.source, names, runner.get_loop())
            wanted = example.want
            assert matches(printed, wanted), f"{name}: {example.source} printed\n{printed}"
    if name.startswith("rejoin.activities.") and "step" in names:
        assert rejoin.Request(names["step"]).write()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_of_modules_are_programs(module):
    for example in examples(module):
        compile(example.source, module.__name__, "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("cls", [getattr(aio, name) for name in aio.__all__], ids=lambda cls: cls.__name__)
def test_the_asynchronous_client_has_what_the_blocking_one_has(cls):
    """The same methods with the same parameters, each awaited."""
    other = next(
        thing for name, thing in EVERY.items() if name.endswith(f".{cls.__name__.removeprefix('Async')}") and thing is not cls
    )
    mine, theirs = dict(members("", cls)), dict(members("", other))
    # (A property can't be awaited.)
    assert set(mine) == set(theirs)
    for name, method in theirs.items():
        if inspect.isfunction(method):
            parameters = inspect.signature(mine[name]).parameters
            assert list(parameters) == list(inspect.signature(method).parameters), name
            defaults = [parameter.default for parameter in parameters.values()]
            assert defaults == [parameter.default for parameter in inspect.signature(method).parameters.values()], name
