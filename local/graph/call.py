"""One authenticated call to Graph, as its handler sees it."""

from dataclasses import dataclass

import msgspec

from local.graph.authorization import Grants, Right
from local.graph.behaviour import Behaviour
from local.graph.errors import bad_request, forbidden, not_found
from local.graph.exchange import GraphRequest
from local.graph.index import Index
from local.graph.odata import Options, Shape, parse_query
from local.graph.simulator import Simulator
from local.graph.tenant import AccessPackage, Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    simulator: Simulator
    identity: Identity
    grants: Grants
    request: GraphRequest
    # ids of the path, in their order
    ids: tuple[str, ...]

    @property
    def index(self) -> Index:
        return self.simulator.index

    @property
    def behaviour(self) -> Behaviour:
        return self.simulator.behaviour

    def options(self, shape: Shape) -> Options:
        return parse_query(self.request.query, shape)

    def require_anywhere(self, right: Right) -> None:
        if not self.grants.holds_anywhere(right):
            raise forbidden()

    def require_list(self) -> None:
        """Whether a list may be asked for at all; it holds only what the caller may read."""
        if self.behaviour.lists_without_role == "forbidden":
            self.require_anywhere(Right.READ)

    def package(self, package_id: str, right: Right) -> AccessPackage:
        """The package, if the caller has the right on its catalog.

        Only a caller with a tenant-wide permission learns that a package does not exist.
        """
        package = self.index.packages.get(package_id.lower())
        if package is None and right in self.grants.tenant_wide:
            raise not_found(f"The access package '{package_id}' does not exist.")
        if package is None or not self.grants.holds(right, package.catalog_id):
            raise forbidden()
        return package

    def body[T](self, body_type: type[T]) -> T:
        """The JSON body as a type; what does not fit is refused."""
        media_type = self.request.headers.get("content-type", "").partition(";")[0].strip()
        if media_type.lower() != "application/json":
            raise bad_request("Entity only allows writes with a JSON Content-Type header.")
        try:
            return msgspec.json.decode(self.request.body, type=body_type)
        except msgspec.DecodeError as error:
            raise bad_request(f"Unable to read JSON request payload. {error}") from error

    def context(self, name: str) -> str:
        return f"{self.simulator.root}/v1.0/$metadata#{name}"
