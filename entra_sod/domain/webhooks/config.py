"""Reads WEBHOOKS: the sources that may send, as YAML or JSON, and their secrets by name.

Every mistake is named with its place, and none with a value: a person may have written a secret
where its name belongs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from entra_sod.core.errors import ConfigurationError
from entra_sod.core.validation import Mistake, find_mistakes
from entra_sod.core.validation import Path as Place
from entra_sod.domain.notifications.signature import MAX_KEYS, SigningKey, parse_signing_keys
from entra_sod.domain.rules.document import Document, RulesProblem, SourceFile, decode
from entra_sod.domain.webhooks.handshake import ORIGIN
from entra_sod.domain.webhooks.json_pointer import parse_pointer
from entra_sod.domain.webhooks.source import (
    DEFAULT_HEADERS,
    DEFAULTS,
    Scheme,
    SourceKind,
    WebhookField,
    WebhookSource,
    WebhookSources,
)

MIN_SECRET_LENGTH = 16
_SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_FILE_NAME = re.compile(r"[\w./-]+\.(ya?ml|json)")
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_ASKED = (WebhookField.INCOMPATIBLE_ACCESS_PACKAGE_ID, WebhookField.SUBJECT)


class SourceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One source; `kind` may be left out where it is the source's name.

    Attributes:
        secrets: names of app settings that hold one secret each; the second while keys change.
        fields: where in a body each stands, as a JSON pointer; the kind's own places, without.
    """

    kind: SourceKind | None = None
    verify: Scheme | None = None
    secrets: list[str] = []
    header: str | None = None
    fields: dict[WebhookField, str | None] = {}
    origins: list[str] = []


def source_file(text: str, app_folder: Path) -> SourceFile:
    """Take WEBHOOKS as what it is: the sources themselves, or the name of a file with them.

    Raises:
        ConfigurationError: the file is not there, or is no text.
    """
    name = text.strip()
    if not _FILE_NAME.fullmatch(name):
        return SourceFile("WEBHOOKS", text)
    try:
        file = decode(name, (app_folder / name).read_bytes())
    except OSError:
        raise ConfigurationError(["WEBHOOKS names a file that cannot be read."]) from None
    if isinstance(file, RulesProblem):
        raise ConfigurationError([f"{file}."])
    return file


def parse_sources(file: SourceFile, environment: Mapping[str, str]) -> WebhookSources:
    """Read the sources and their secrets.

    Args:
        file: the text, by the name that messages use.
        environment: where the secrets are.

    Raises:
        ConfigurationError: naming each mistake as `NAME:line:column`.
    """
    document = Document(file)
    problems = [*document.problems]
    if document.is_read:
        problems += document.add_mistakes(find_mistakes(dict[str, SourceEntry], document.value))
    _require_none(problems)
    entries = msgspec.convert(document.value, dict[str, SourceEntry])
    readers = [_EntryReader(name, entry, environment) for name, entry in entries.items()]
    _require_none(document.add_mistakes(each for reader in readers for each in reader.mistakes()))
    return {reader.name: reader.source() for reader in readers}


def _require_none(problems: Sequence[RulesProblem]) -> None:
    if problems:
        raise ConfigurationError([f"{problem}." for problem in sorted(problems)])


class _EntryReader:
    """Reads one entry that has the right shape."""

    def __init__(self, name: str, entry: SourceEntry, environment: Mapping[str, str]) -> None:
        self.name, self._entry, self._environment = name, entry, environment
        self._kind = entry.kind or (SourceKind(name) if name in list(SourceKind) else None)
        self._pointers = {name: text for name, text in entry.fields.items() if text is not None}

    def mistakes(self) -> Iterator[Mistake]:
        """Find what is wrong beyond the shape."""
        if not _SOURCE_NAME.fullmatch(self.name):
            detail = (
                "must be lower-case letters, digits and dashes, 63 at most: it is in the address"
            )
            yield Mistake((), detail, key=self.name)
        if self._kind is None:
            yield self._mistake((), f"needs a kind: {', '.join(SourceKind)}")
            return
        yield from self._wrong_secrets(self._scheme(self._kind))
        yield from self._wrong_header(self._scheme(self._kind))
        yield from self._wrong_fields(self._kind)
        yield from self._wrong_origins(self._kind)

    def source(self) -> WebhookSource:
        """Make the source of an entry without mistakes."""
        if self._kind is None:
            raise LookupError(self.name)
        scheme = self._scheme(self._kind)
        return WebhookSource(
            name=self.name,
            kind=self._kind,
            scheme=scheme,
            header=(self._entry.header or DEFAULT_HEADERS.get(scheme, "")).lower(),
            keys=tuple(_key(self._secret(name), scheme) for name in self._entry.secrets),
            fields={
                **DEFAULTS[self._kind].fields,
                **{name: parse_pointer(text) for name, text in self._pointers.items()},
            },
            origins=frozenset(origin.lower() for origin in self._entry.origins),
        )

    def _scheme(self, kind: SourceKind) -> Scheme:
        return self._entry.verify or DEFAULTS[kind].scheme

    def _secret(self, name: str) -> str:
        return self._environment.get(name, "").strip()

    def _wrong_secrets(self, scheme: Scheme) -> Iterator[Mistake]:
        names = self._entry.secrets
        if scheme is Scheme.ENTRA:
            if names:
                yield self._mistake(("secrets",), "are not used with verify: entra")
            return
        if not 1 <= len(names) <= MAX_KEYS:
            detail = f"must name one app setting, or {MAX_KEYS} while keys change"
            yield self._mistake(("secrets",), detail)
            return
        for number, name in enumerate(names):
            if wrong := self._wrong_secret(name, scheme):
                yield self._mistake(("secrets", number), wrong)

    def _wrong_secret(self, name: str, scheme: Scheme) -> str:
        if not _SETTING_NAME.fullmatch(name):
            return "must be the name of an app setting, never a secret itself"
        if not self._secret(name):
            return "names an app setting that is not set"
        try:
            _key(self._secret(name), scheme)
        except ValueError as error:
            return f"names an app setting that holds {error}"
        return ""

    def _wrong_header(self, scheme: Scheme) -> Iterator[Mistake]:
        header = self._entry.header
        if header is None:
            return
        if scheme not in DEFAULT_HEADERS:
            yield self._mistake(("header",), f"is not used with verify: {scheme}")
        elif not _HEADER_NAME.fullmatch(header):
            yield self._mistake(("header",), "must be the name of a header")

    def _wrong_fields(self, kind: SourceKind) -> Iterator[Mistake]:
        for name, text in self._pointers.items():
            try:
                parse_pointer(text)
            except ValueError:
                detail = "must be a JSON pointer, such as /issue/fields/customfield_10201"
                yield self._mistake(("fields", name), detail)
        known = {*DEFAULTS[kind].fields, *self._pointers}
        if WebhookField.ACCESS_PACKAGE_ID not in known:
            yield self._mistake(("fields", WebhookField.ACCESS_PACKAGE_ID), "is missing")
        if not known.intersection(_ASKED):
            yield self._mistake(("fields",), f"must say where {' or '.join(_ASKED)} is")

    def _wrong_origins(self, kind: SourceKind) -> Iterator[Mistake]:
        if self._entry.origins and kind is not SourceKind.CLOUDEVENTS:
            yield self._mistake(("origins",), "are used with kind: cloudevents only")
        for number, origin in enumerate(self._entry.origins):
            if not ORIGIN.fullmatch(origin):
                yield self._mistake(
                    ("origins", number), "must be a name such as eventgrid.azure.net"
                )

    def _mistake(self, path: Place, detail: str) -> Mistake:
        return Mistake((self.name, *path), detail)


def _key(secret: str, scheme: Scheme) -> SigningKey:
    """Read one secret.

    Raises:
        ValueError: saying what it is, in words without any part of it.
    """
    if scheme is Scheme.STANDARD_WEBHOOKS:
        return _standard_key(secret)
    if len(secret) < MIN_SECRET_LENGTH:
        raise ValueError(f"less than {MIN_SECRET_LENGTH} characters")
    if scheme is Scheme.BASIC and ":" not in secret:
        raise ValueError("no user name and password with a colon between")
    return SigningKey(secret.encode())


def _standard_key(secret: str) -> SigningKey:
    try:
        [key] = parse_signing_keys(secret)
    except ValueError:
        raise ValueError("no whsec_ and base64 of 24 to 64 bytes") from None
    return key
