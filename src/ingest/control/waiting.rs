use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::ingest::settings::Backoff;

/// How long to wait before the `n`-th repetition, from 0. `chance`, from 0 to 1, decides the part that is left to it.
pub(super) fn backoff(backoff: &Backoff, n: u32, chance: f64) -> Duration {
    let growth = backoff.factor.max(1.0).powi(i32::try_from(n).unwrap_or(i32::MAX));
    let seconds = (backoff.first.as_secs_f64() * growth).min(backoff.longest.as_secs_f64());
    let jitter = backoff.jitter.clamp(0.0, 1.0);
    let seconds = seconds * (1.0 - jitter + jitter * chance.clamp(0.0, 1.0));
    Duration::try_from_secs_f64(seconds).unwrap_or(backoff.longest)
}

/// How long the headers of an answer wish the next request to wait.
///
/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3). Else, where nothing remains of a rate limit, until it is
/// renewed: `RateLimit` (`remaining=0, reset=30`, or `"name";r=0;t=30` of later drafts of the IETF), `RateLimit-Remaining` with
/// `RateLimit-Reset`, and the same with `X-` before, where a large number is a time since 1970.
///
/// ```
/// use std::time::Duration;
/// use chrono::DateTime;
/// use http::{HeaderMap, HeaderValue};
/// use rejoin::ingest::control::wait_wished;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("retry-after", HeaderValue::from_static("120"));
/// assert_eq!(wait_wished(&headers, DateTime::UNIX_EPOCH), Some(Duration::from_secs(120)));
/// ```
#[must_use]
pub fn wait_wished(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    retry_after(headers, now).or_else(|| rate_limit(headers, now))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = text(headers, "retry-after")?;
    if let Some(wait) = seconds(value) {
        return Some(wait);
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    Some((date.with_timezone(&Utc) - now).to_std().unwrap_or(Duration::ZERO))
}

/// Whole seconds, or a decimal: some servers send fractions.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number { Duration::try_from_secs_f64(text.parse().ok()?).ok() } else { None }
}

fn rate_limit(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    if let Some(value) = text(headers, "ratelimit") {
        let member = |names: [&str; 2]| {
            let mut members = value.split([',', ';']).filter_map(|member| member.trim().split_once('='));
            members.find(|(name, _)| names.contains(name)).map(|(_, value)| value.trim())
        };
        return if member(["remaining", "r"])? == "0" { seconds(member(["reset", "t"])?) } else { None };
    }
    for (remaining, reset) in
        [("ratelimit-remaining", "ratelimit-reset"), ("x-ratelimit-remaining", "x-ratelimit-reset")]
    {
        if text(headers, remaining) == Some("0") {
            return text(headers, reset).and_then(seconds).map(|wait| from_now(wait, now));
        }
    }
    None
}

/// A number of seconds above this, 30 years, is a time since 1970.
const AN_AGE: Duration = Duration::from_hours(262_968);

fn from_now(wait: Duration, now: DateTime<Utc>) -> Duration {
    if wait < AN_AGE {
        return wait;
    }
    wait.saturating_sub((now - DateTime::UNIX_EPOCH).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_server_may_say_in_many_ways_how_long_to_wait() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_784_000_000);
        let date = (now + TimeDelta::seconds(90)).to_rfc2822();
        let late = (now + TimeDelta::seconds(40)).timestamp().to_string();
        for (headers, seconds) in [
            (vec![("retry-after", "7")], Some(7)),
            (vec![("retry-after", date.as_str())], Some(90)),
            (vec![("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], Some(0)),
            (vec![("retry-after", "soon")], None),
            (vec![("ratelimit", "limit=100, remaining=0, reset=30")], Some(30)),
            (vec![("ratelimit", "limit=100, remaining=5, reset=30")], None),
            (vec![("ratelimit", "\"default\";r=0;t=31")], Some(31)),
            (vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "32")], Some(32)),
            (vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", late.as_str())], Some(40)),
            (vec![("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "32")], None),
            (vec![("retry-after", "3"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "32")], Some(3)),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                map.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(wait_wished(&map, now), seconds.map(Duration::from_secs), "{headers:?}");
        }
    }

    #[test]
    fn a_backoff_grows_up_to_its_longest() {
        let settings =
            Backoff { first: Duration::from_secs(1), factor: 2.0, longest: Duration::from_secs(10), jitter: 0.5 };
        let waits = [0, 1, 2, 3, 4, u32::MAX].map(|n| backoff(&settings, n, 1.0).as_secs());
        assert_eq!(waits, [1, 2, 4, 8, 10, 10]);
        assert_eq!(backoff(&settings, 1, 0.0), Duration::from_secs(1));
    }
}
