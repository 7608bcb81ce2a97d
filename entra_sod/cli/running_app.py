"""A running app, asked by HTTP as any other caller asks it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx
import msgspec

from entra_sod.api.responses import PackageChoice, PackageList
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.core.errors import SodError
from entra_sod.domain.findings.views import FindingDetail, FindingPage, FindingView
from entra_sod.domain.results.check import CheckResult
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.services.doctor.diagnosis import Diagnoses, Diagnosis
from entra_sod.services.report.view import ReportView
from entra_sod.services.sweeps.progress import SweepProgress
from entra_sod.settings.environment import is_https, is_loopback

KEY = "ENTRA_SOD_KEY"
MASTER_KEY = "ENTRA_SOD_MASTER_KEY"
TOKEN = "ENTRA_SOD_TOKEN"  # noqa: S105 - the name of a variable
MAX_ATTEMPTS = 6
MAX_WAIT_SECONDS = 120.0
_WAIT_SECONDS = 10.0
_TIMEOUT_SECONDS = 30
_LONG_TIMEOUT_SECONDS = 180  # the app looks at each of its catalogs
_LATER = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)

type ReportLine = Callable[[str], None]


class AppError(SodError):
    """The app cannot be asked, or did not give what was asked for; the message says what to do."""


class NotAdmitted(AppError):
    """The app, or what stands before it, does not know the caller, or lets them not do this."""


class SweepStarted(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /sweeps` answers."""

    id: str
    status: str
    self_: str = msgspec.field(name="self")
    joined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedWork:
    """A sweep's result, and the bytes that it came as."""

    result: SweepResult
    data: bytes


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Some findings, and what to ask for those that come next; nothing where there are none."""

    findings: Sequence[FindingView]
    following: Mapping[str, str]


class _ServerProblem(msgspec.Struct, frozen=True, kw_only=True):
    title: str = ""
    detail: str = ""


class _Function(msgspec.Struct, frozen=True):
    name: str


class _StartedCheck(msgspec.Struct, frozen=True):
    id: str


@dataclass(frozen=True, slots=True)
class _NotReadyYet:
    """The app has no answer now: why, and when to ask again."""

    why: str
    seconds: float


class RunningApp:
    """An app at an address, such as `https://app.example.com/api`."""

    def __init__(
        self, address: str, http: httpx.AsyncClient, clock: Clock, tell: ReportLine
    ) -> None:
        self._address, self._http, self._clock, self._tell = address, http, clock, tell
        self._has_answered = False

    async def start_sweep(self) -> SweepStarted:
        """Ask for a sweep; one that is under way is joined, so asking again does no harm.

        Raises:
            AppError: the app is not there, refuses, or does not come back.
        """
        answer = await self._send_with_retries("POST", "sweeps")
        if answer.status_code != httpx.codes.ACCEPTED:
            raise self._refused(answer)
        return self._read(answer, SweepStarted)

    async def sweep(self, sweep_id: str) -> SweepProgress | EndedWork:
        """Look at a sweep.

        Raises:
            AppError: as of `start_sweep`.
        """
        # Not by the Location of the answer: the key goes to the address that it was given for.
        answer = await self._send_with_retries("GET", f"sweeps/{sweep_id}")
        if answer.status_code == httpx.codes.ACCEPTED:
            return self._read(answer, SweepProgress)
        if answer.status_code != httpx.codes.OK:
            raise self._refused(answer)
        return EndedWork(result=self._read(answer, SweepResult), data=answer.content)

    async def report(self) -> ReportView:
        """What the newest sweep found.

        Raises:
            AppError: as of `start_sweep`.
        """
        answer = await self._send_with_retries(
            "GET", "report", headers={"Accept": "application/json"}
        )
        if answer.status_code != httpx.codes.OK:
            raise self._refused(answer)
        return self._read(answer, ReportView)

    async def start_check(self, body: Mapping[str, str], idempotency_key: str) -> str:
        """Ask for a check and return its id; asking again with the same key asks for the same.

        Raises:
            AppError: as of `start_sweep`.
        """
        headers = {"Idempotency-Key": idempotency_key}
        answer = await self._send_with_retries("POST", "checks", json=body, headers=headers)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise self._refused(answer)
        return self._read(answer, _StartedCheck).id

    async def check(self, check_id: str) -> CheckResult | None:
        """Look at a check; None until it has ended.

        Raises:
            AppError: as of `start_sweep`.
        """
        answer = await self._send_with_retries("GET", f"checks/{check_id}")
        if answer.status_code == httpx.codes.ACCEPTED:
            return None
        if answer.status_code != httpx.codes.OK:
            raise self._refused(answer)
        return self._read(answer, CheckResult)

    async def diagnoses(self) -> Sequence[Diagnosis]:
        """Let the app look at itself.

        Raises:
            AppError: it is not there, or refuses.
        """
        answer = await self._request(f"{self._address}/ready?deep=1")
        # 503 is an answer here: something is wrong, and it says what.
        if answer.status_code not in (httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE):
            raise self._refused(answer)
        return self._read(answer, Diagnoses).diagnoses

    async def functions(self) -> Sequence[str]:
        """Ask the host for the names of its functions, which takes the host's master key.

        Raises:
            AppError: the host does not say.
        """
        master = os.environ.get(MASTER_KEY, "").strip()
        headers = _headers(master, "") if master else {}
        answer = await self._request(
            f"{self._address.removesuffix('/api')}/admin/functions", headers
        )
        if answer.status_code != httpx.codes.OK:
            said = _problem_text(answer)
            raise AppError(f"the host answers {said}; its list takes {MASTER_KEY}")
        return [each.name for each in self._read(answer, list[_Function])]

    async def found(self, parameters: Mapping[str, str]) -> FoundPage:
        """Read a page of findings.

        Raises:
            AppError: as of `start_sweep`.
        """
        answer = await self._send_with_retries("GET", f"findings?{urlencode(parameters)}")
        if answer.status_code != httpx.codes.OK:
            raise self._refused(answer)
        page = self._read(answer, FindingPage)
        # Not the link as it is: the key goes to the address that it was given for.
        return FoundPage(page.findings, dict(parse_qsl(urlsplit(page.next_link or "").query)))

    async def packages(self) -> Sequence[PackageChoice]:
        """Read the access packages that the app may read; the first 1,000 by name.

        Raises:
            AppError: as of `start_sweep`.
        """
        answer = await self._send_with_retries("GET", "packages")
        if answer.status_code != httpx.codes.OK:
            raise self._refused(answer)
        return self._read(answer, PackageList).packages

    async def finding(self, finding_id: str) -> FindingDetail | None:
        """Read one finding with its history; None where there is none.

        Raises:
            AppError: as of `start_sweep`.
        """
        answer = await self._send_with_retries("GET", f"findings/{quote(finding_id, safe='')}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code != httpx.codes.OK:
            raise self._refused(answer)
        return self._read(answer, FindingDetail)

    async def _request(self, url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        try:
            return await self._http.get(url, headers=headers, timeout=_LONG_TIMEOUT_SECONDS)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            words = str(error) or type(error).__name__
            raise AppError(f"{url} does not answer: {words}") from error

    async def _send_with_retries(self, method: str, path: str, **what: Any) -> httpx.Response:  # noqa: ANN401 - httpx's
        tries = 1
        while isinstance(answer := await self._send(method, path, **what), _NotReadyYet):
            if tries == MAX_ATTEMPTS:
                raise AppError(f"{answer.why}, {tries} times over.")
            tries += 1
            self._tell(f"{answer.why}; again in {answer.seconds:.0f} s")
            await self._clock.sleep(answer.seconds)
        return answer

    async def _send(self, method: str, path: str, **what: Any) -> httpx.Response | _NotReadyYet:  # noqa: ANN401 - httpx's
        try:
            answer = await self._http.request(method, f"{self._address}/{path}", **what)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            why = f"{self._address} does not answer: {str(error) or type(error).__name__}"
            if not self._has_answered:
                raise AppError(f"{why}. Is it the app's address?") from error
            return _NotReadyYet(why, _WAIT_SECONDS)
        self._has_answered = True
        if answer.status_code in _LATER:
            return _NotReadyYet(f"the app answers {_problem_text(answer)}", _seconds(answer))
        return answer

    def _refused(self, answer: httpx.Response) -> AppError:
        status = answer.status_code
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            has_key = "x-functions-key" in answer.request.headers
            wrong = f"does not accept the key in {KEY}" if has_key else "requires a key"
            advice = f"Set {KEY} to a key of the app's CALLER_KEYS, or {TOKEN} to a token for it."
            return NotAdmitted(f"The app answers {status}: it {wrong}. {advice}")
        if status == httpx.codes.NOT_FOUND and answer.request.method == "POST":
            return AppError(
                f"There is no entra-sod of this version at {self._address}: it answers 404. "
                "The address of an app ends in /api."
            )
        if answer.is_redirect:
            return AppError(
                f"{self._address} redirects; a key is not sent on. Name the app itself."
            )
        return AppError(f"The app answers {_problem_text(answer)}.")

    def _read[T](self, answer: httpx.Response, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AppError(
                f"What answers at {self._address} is no entra-sod of this version: {error}."
            ) from error


def _problem_text(answer: httpx.Response) -> str:
    """The status, and the words of a problem where there are any."""
    try:
        problem = msgspec.json.decode(answer.content, type=_ServerProblem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = _ServerProblem()
    words = ": ".join(each.rstrip(".") for each in (problem.title, problem.detail) if each)
    return f"{answer.status_code} ({words})" if words else str(answer.status_code)


def _seconds(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "").strip()
    seconds = float(text) if text.isascii() and text.isdigit() else _WAIT_SECONDS
    return min(seconds, MAX_WAIT_SECONDS)


def checked_address(url: str) -> str:
    """Take an address that a key may be sent to.

    Raises:
        AppError: it is none.
    """
    address = url.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        # Reading the port is what finds a wrong one.
        is_bare = not (parts.query or parts.fragment or parts.username) and parts.port != 0
        is_safe = is_https(address) or (parts.scheme == "http" and is_loopback(address))
    except ValueError:
        is_bare = is_safe = False
    if not is_safe:
        raise AppError(
            "--url (or ENTRA_SOD_URL) must be an https address, such as "
            "https://app.example.com/api; http is for localhost, 127.0.0.1 and [::1]."
        )
    if not is_bare:
        raise AppError("--url must be an address alone: no user, no query, no key.")
    return address


def _headers(key: str, token: str) -> dict[str, str]:
    for name, value in ((KEY, key), (TOKEN, token)):
        if not (value.isascii() and value.isprintable()):
            raise AppError(f"{name} has characters that no such secret has.")
    by_key = {"x-functions-key": key} if key else {}
    return {**by_key, "authorization": f"Bearer {token}"} if token else by_key


@asynccontextmanager
async def open_app(url: str, tell: ReportLine) -> AsyncIterator[RunningApp]:
    """Make ready to ask an app, with the key and the token of the environment, if there are any.

    Raises:
        AppError: the address, the key or the token is none.
    """
    address = checked_address(url)
    headers = _headers(os.environ.get(KEY, "").strip(), os.environ.get(TOKEN, "").strip())
    # A company's proxy has no part in what stays on this machine.
    trust_env = not is_loopback(address)
    async with httpx.AsyncClient(
        headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=trust_env
    ) as http:
        yield RunningApp(address, http, SystemClock(), tell)
