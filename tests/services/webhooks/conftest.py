from __future__ import annotations

import pytest

from tests.app import App
from tests.services.webhooks.setup import make


@pytest.fixture
def app(make_app: type[App]) -> App:
    return make(make_app)
