"""Signing a person in to Graph on a machine of their own, and staying signed in.

Microsoft's sign-in is azure-identity's: it opens the browser or shows a code, and keeps tokens in
the system's own store of secrets. What this module keeps is no secret: who signed in, and where.
Nothing here can be tried without Microsoft's sign-in, so it is thin, and tests have a stand-in.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import typer

from entra_sod.core.errors import ConfigurationError, SodError
from entra_sod.domain.roles.model import READ_ALL, READ_WRITE_ALL
from entra_sod.settings import GraphSettings

if TYPE_CHECKING:
    from types import TracebackType

    from azure.core.credentials import AccessToken

# "Microsoft Graph Command Line Tools", which every tenant may use and which asks for any permission
# of Graph. Azure CLI's own application has a fixed list, without entitlement management.
GRAPH_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
LOGIN = "entra-sod login"
NOT_SIGNED_IN = (
    f"You are not signed in on this machine. Fix: {LOGIN} (or set GRAPH_CREDENTIAL=default, to use "
    "another sign-in that may read entitlement management)."
)
_CACHE = "entra-sod"  # the name of the store of tokens
# Variables that Azure sets beside an app with a managed identity.
_IDENTITY_ENDPOINTS = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")


class SignInFailed(SodError):
    """Microsoft's sign-in gave no token; the message says what to do."""


class LoginOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a person signs in.

    Attributes:
        authority: host of the sign-in.
        tenant: id or domain; empty for the person's own.
        client_id: of the public client that asks.
        scopes: permissions of Graph, as addresses.
        by_device: whether a code is shown that is typed in at a browser, on whatever machine.
        in_plain_file: whether tokens may be kept in a file of the person's, where the system has no
            store of secrets.
    """

    authority: str
    tenant: str = ""
    client_id: str = GRAPH_TOOLS
    scopes: tuple[str, ...] = ()
    by_device: bool = False
    in_plain_file: bool = False


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in on this machine.

    Attributes:
        record: azure-identity's own, by which it finds the tokens in the store.
    """

    options: LoginOptions
    username: str
    tenant_id: str
    record: str


def scopes_for(settings: GraphSettings, *, may_write: bool) -> tuple[str, ...]:
    """Return the permission of Graph that a person needs, and no other."""
    resource = settings.scope.removesuffix("/.default")
    return (f"{resource}/{READ_WRITE_ALL if may_write else READ_ALL}",)


class SignInFile:
    """Where this machine keeps who is signed in: a file of the person's own."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(typer.get_app_dir("entra-sod")) / "sign-in.json"

    def read(self) -> SignedIn | None:
        """Return who is signed in; a file that cannot be parsed counts as no sign-in."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=SignedIn)
        except (OSError, ValueError):
            return None

    def write(self, signed_in: SignedIn) -> None:
        """Keep who is signed in.

        Raises:
            SignInFailed: the file cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(signed_in))
        except OSError as error:
            raise SignInFailed(
                f"You are not signed in, because {self.path} cannot be written: {error}"
            ) from error

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)


class SystemSignIn(Protocol):
    """A credential of azure-identity for persons: the browser's, or the one with a code."""

    def authenticate(self, *, scopes: tuple[str, ...]) -> Any: ...  # noqa: ANN401 - azure-identity's record

    def get_token(self, *scopes: str) -> AccessToken: ...

    def close(self) -> None: ...


def system_sign_in(
    options: LoginOptions, tell: Callable[[str], None], record: str | None = None
) -> SystemSignIn:
    """Make azure-identity's credential; with a record it only takes up what was signed in before.

    Raises:
        ValueError: this machine has no store for tokens, or the record is none.
    """
    from azure.identity import (
        AuthenticationRecord,
        DeviceCodeCredential,
        InteractiveBrowserCredential,
        TokenCachePersistenceOptions,
    )

    common: dict[str, Any] = {
        "authority": options.authority,
        "client_id": options.client_id,
        "cache_persistence_options": TokenCachePersistenceOptions(
            name=_CACHE, allow_unencrypted_storage=options.in_plain_file
        ),
        "disable_automatic_authentication": record is not None,
    }
    if options.tenant:
        common["tenant_id"] = options.tenant
    if record is not None:
        common["authentication_record"] = AuthenticationRecord.deserialize(record)
    if options.by_device:
        return DeviceCodeCredential(prompt_callback=_telling(tell), **common)
    return InteractiveBrowserCredential(**common)


def _telling(tell: Callable[[str], None]) -> Callable[[str, str, object], None]:
    return lambda address, code, _: tell(f"Open {address} and enter {code}.")


def sign_in(options: LoginOptions, tell: Callable[[str], None]) -> SignedIn:
    """Sign a person in.

    Raises:
        SignInFailed: it says what to do.
    """
    from azure.core.exceptions import AzureError

    try:
        credential = system_sign_in(options, tell)
        try:
            record = credential.authenticate(scopes=options.scopes)
        finally:
            credential.close()
    except (AzureError, ValueError, OSError, ImportError) as error:
        raise SignInFailed(_what_to_do(str(error), options)) from error
    return SignedIn(
        options=options,
        username=record.username,
        tenant_id=record.tenant_id,
        record=record.serialize(),
    )


_REASONS: Mapping[str, str] = {
    r"AADSTS(90002|900023|50059|900021)": "There is no tenant {tenant}. Give --tenant the id or a "
    "domain of your tenant.",
    r"AADSTS(65001|65004|90094|90095)": "No administrator has allowed {client} to use {scopes} in "
    "this tenant. Ask an administrator to consent to it, or give --client-id a public client of "
    "your own that has it.",
    r"AADSTS(700016|7000218|50011|500113)": "The tenant has no public client {client}. Register "
    "one with the redirect address http://localhost, or leave --client-id out.",
    r"AADSTS(50020|50105|50128)": "This account is not one of the tenant. Sign in with another "
    "account, or name its tenant by --tenant.",
    r"(?i)browser": "No browser could be opened here. Use --device-code.",
    r"(?i)encrypt|libsecret|persist|keyring|dbus": "This machine has no store of secrets, so "
    "tokens cannot be kept. Use --plain-file to keep them in a file of yours, or sign in with the "
    "Azure CLI and set GRAPH_CREDENTIAL=default.",
    r"(?i)timed out|expired|authorization_declined": "The sign-in was not completed in "
    f"time. Fix: {LOGIN}.",
}


def _what_to_do(text: str, options: LoginOptions) -> str:
    first = text.splitlines()[0] if text else "it gave no reason"
    for pattern, advice in _REASONS.items():
        if re.search(pattern, text):
            told = advice.format(
                tenant=options.tenant or "of that name",
                client=options.client_id,
                scopes=", ".join(each.rpartition("/")[2] for each in options.scopes),
            )
            return f"You are not signed in. {told} (Microsoft says: {first[:300]})"
    return f"You are not signed in. Microsoft says: {first[:300]}"


class PersonCredential(AbstractAsyncContextManager["PersonCredential"]):
    """Asks Graph as a person: with the permission that was signed in for, whatever is asked for."""

    def __init__(self, scopes: tuple[str, ...], make: Callable[[], SystemSignIn]) -> None:
        self._scopes, self._make = scopes, make
        self._credential: SystemSignIn | None = None

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:  # noqa: ANN401 - the SDK's own signature
        return await asyncio.to_thread(self._token)

    def _token(self) -> AccessToken:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import AuthenticationRequiredError

        try:
            self._credential = self._credential or self._make()
            return self._credential.get_token(*self._scopes)
        except AuthenticationRequiredError as error:
            raise ClientAuthenticationError(f"your sign-in has expired. Fix: {LOGIN}") from error
        except (ValueError, OSError, ImportError) as error:
            why = f"the tokens of your sign-in cannot be read ({error}). Fix: {LOGIN}"
            raise ClientAuthenticationError(why) from error

    async def close(self) -> None:
        if self._credential is not None:
            self._credential.close()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def device_code(
    settings: GraphSettings, tell: Callable[[str], None], tenant_id: str | None = None
) -> PersonCredential:
    """Show a code that is typed in at a browser, on whatever machine; keeps no token."""

    def make() -> SystemSignIn:
        from azure.identity import DeviceCodeCredential

        return DeviceCodeCredential(
            client_id=GRAPH_TOOLS,
            authority=settings.authority,
            tenant_id=tenant_id,
            prompt_callback=_telling(tell),
        )

    return PersonCredential(scopes_for(settings, may_write=True), make)


def asks_as_person(environment: Mapping[str, str]) -> bool:
    """Whether Graph is asked as who is signed in: nothing names another identity."""
    names = ("GRAPH_CREDENTIAL", *_IDENTITY_ENDPOINTS)
    return not any(environment.get(name) for name in names)


def person(settings: GraphSettings) -> PersonCredential:
    """Ask as who is signed in on this machine; if that is over, the first token says so.

    Raises:
        ConfigurationError: there is no sign-in, or it is in another cloud.
    """
    signed_in = SignInFile().read()
    if signed_in is None:
        raise ConfigurationError([NOT_SIGNED_IN])
    options, record = signed_in.options, signed_in.record
    if options.authority != settings.authority:
        where, wanted = options.authority, settings.authority
        problem = f"You are signed in at {where}, and GRAPH_CLOUD is of {wanted}. Fix: {LOGIN}"
        raise ConfigurationError([problem])
    return PersonCredential(options.scopes, lambda: system_sign_in(options, lambda _: None, record))
