"""Exit 0 if the process on this port says it is well: for container health checks.

Usage: python health.py PORT [CA_FILE], the second where the process speaks TLS. Why it is not well
goes to standard error, which the container's engine keeps with the result of the check.
"""

import ssl
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 4.0


def main() -> int:
    """Ask ``/health`` once; 503 and silence are both failures."""
    port, *trusted = sys.argv[1:]
    place = f"127.0.0.1:{int(port)}/health"
    url, context = f"http://{place}", None
    if trusted:
        url = f"https://{place}"
        try:
            context = ssl.create_default_context(cafile=trusted[0])
        except (OSError, ValueError) as error:
            return _said(f"CA_FILE, the second argument, is {trusted[0]}: {error}")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S, context=context) as answer:  # noqa: S310  ours
            return 0 if answer.status == 200 else _said(f"{url} answered {answer.status}")
    except (urllib.error.URLError, OSError) as error:
        return _said(f"{url}: {error}")


def _said(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
