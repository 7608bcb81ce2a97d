"""An app with a source of each sort set up."""

from __future__ import annotations

from entra_sod.domain.entra import Subject
from tests.app import App
from tests.builders import guid, held, package, rule, side
from tests.services.webhooks.sender import SETTINGS

PACKAGES = [package("a"), package("b"), package("c")]
RULES = [rule("r", side("a"), side("b"))]
WEBHOOKS = """
jira:
  secrets: [JIRA_SECRET]
  fields:
    accessPackageId: /issue/fields/customfield_10201
    incompatibleAccessPackageId: /issue/fields/customfield_10202/value
    subject: /issue/fields/customfield_10203
automation:
  kind: jira
  verify: header
  secrets: [JIRA_SECRET]
  fields: {accessPackageId: /wanted, subject: /who, incompatibleAccessPackageId: /held}
servicenow: {}
desk:
  kind: servicenow
  verify: basic
  secrets: [LOGIN]
generic:
  secrets: [KEY]
  fields: {callbackUrl: /answer/to}
plain:
  kind: generic
  verify: hmac-sha256
  header: X-Signature
  secrets: [JIRA_SECRET]
cloudevents:
  secrets: [LOGIN]
broker:
  kind: cloudevents
  verify: standard-webhooks
  secrets: [KEY]
  origins: [eventgrid.azure.net]
"""
ENVIRONMENT = {**SETTINGS, "WEBHOOKS": WEBHOOKS, "CALLBACK_HOSTS": "hooks.example.com"}


def make(make_app: type[App]) -> App:
    people = {"a": held("a", "x"), "b": held("b", "x")}
    app = make_app(PACKAGES, people, RULES, **ENVIRONMENT)
    app.graph.newcomers = [Subject(id=guid("5"), object_id=guid("d"))]
    return app
