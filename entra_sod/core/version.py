"""The version of the product. A test compares azure.yaml and CHANGELOG.md with it."""

VERSION = "0.2.0"
