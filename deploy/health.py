"""Exit 0 if the process on this port says it is well: for container health checks.

Usage: python health.py PORT [CA_FILE], the second where the process speaks TLS
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
        url, context = f"https://{place}", ssl.create_default_context(cafile=trusted[0])
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S, context=context) as answer:  # noqa: S310  ours
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, OSError):
        return 1


if __name__ == "__main__":
    sys.exit(main())
