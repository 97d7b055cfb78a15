//! What clients send.

/// A perform document.
pub(crate) fn perform(content: &str) -> String {
    format!("<perform xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/types\">{content}</perform>")
}

/// A script that has `wrk` post the document, with a random key of 1 to `keys` where it says KEY.
pub(crate) fn with_random_keys(document: &str, keys: u32) -> String {
    // Made before the clock starts: what the client spends on a request is not what is measured.
    format!(
        "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/xml'\nlocal document = [==[{document}]==]\n\
         local before, after = document:match('^(.*)KEY(.*)$')\nwrk.body = document\nif before then\n  \
         local requests, next = {{}}, 0\n  function init()\n    for index = 1, 10000 do\n      \
         requests[index] = wrk.format(nil, nil, nil, before .. math.random(1, {keys}) .. after)\n    end\n  end\n  \
         function request()\n    next = next % 10000 + 1\n    return requests[next]\n  end\nend\n"
    )
}
