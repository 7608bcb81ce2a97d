"""`python -m local.reference`: writes docs/reference anew. `make docs` is this."""

import sys

from local.reference.pages import write_pages

if __name__ == "__main__":
    for changed in write_pages():
        print(changed)
    sys.exit(0)
