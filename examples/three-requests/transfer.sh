#!/bin/sh
# A transaction in three requests, with curl. First: rejoin demo
#
#   examples/three-requests/transfer.sh [URL]
set -eu
cd "$(dirname "$0")"
url=${1:-http://127.0.0.1:8080/services/demo}

post() {
    curl --silent --show-error --fail-with-body --header 'Content-Type: application/xml' "$@" "$url"
}

# The answer names the session. The id is a secret, so it goes into a header from here on, and into no URL and no log.
answer=$(post --data-binary @1-take.xml)
echo "$answer"
session=$(echo "$answer" | sed -n 's/.*<session id="\([^"]*\)".*/\1/p')

post --header "Rejoin-Session: $session" --data-binary @2-give.xml

# With a key the commit can be sent again when its answer got lost: it is done once, and the answer is the same.
post --header "Rejoin-Session: $session" --header "Idempotency-Key: commit-$session" --data-binary @3-commit.xml
