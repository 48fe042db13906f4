"""The commands of `python -m sim`, a module for each family; `common` holds what they share."""
