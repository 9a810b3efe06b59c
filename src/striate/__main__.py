"""`python -m striate`, which is also how torchrun starts every process of a training."""

from striate.cli import main

main()
