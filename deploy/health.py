"""Exit 0 if the process on this port says it is well: for container health checks.

Usage: python health.py PORT
"""

import sys
import urllib.error
import urllib.request

TIMEOUT_S = 4.0


def main() -> int:
    """Ask ``/health`` once; 503 and silence are both failures."""
    url = f"http://127.0.0.1:{int(sys.argv[1])}/health"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, OSError):
        return 1


if __name__ == "__main__":
    sys.exit(main())
