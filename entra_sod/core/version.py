"""The version of this app, which reports and evidence name."""

VERSION = "0.1.0"
