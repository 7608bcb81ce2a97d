"""Azurite, Microsoft's storage emulator, as the storage of a local world."""

from local.storage.account import connection_string

__all__ = ["connection_string"]
