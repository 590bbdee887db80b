"""`python -m bonafides` is the command `bonafides`."""

from bonafides.cli import main

if __name__ == "__main__":
    main()
