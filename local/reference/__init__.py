"""The pages of docs/reference, made of the code. `python -m local.reference` writes them."""
