"""What people's side of the console is told."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from console.live.hub import LiveConfig
from console.people.passwords import Cost
from console.people.sessions import Ends
from console.webhook.sender import WebhookConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskConfig:
    """Settings of the desk.

    Attributes:
        directory: Holds users, sessions and deeds.
        public_url: Where browsers reach it, where that is not the address it listens on.
        ends: When sessions are over.
        cost: Of a guess at a password.
        gateway_url: Gateway that takes what people do; None where none is set.
        gateway_token_file: Holds its bearer token.
        gateway_trust: Whom to trust at an address that is https; None for the system's.
        live: Where and how the live events are read.
        worker_urls: Where the workers say how they are; none where nobody said.
        webhook: Where alerts that matter are posted to; None for nowhere.
    """

    directory: Path
    public_url: str | None = None
    ends: Ends = field(default_factory=Ends)
    cost: Cost = field(default_factory=Cost)
    gateway_url: str | None = None
    gateway_token_file: Path
    gateway_trust: ssl.SSLContext | None = None
    live: LiveConfig
    worker_urls: tuple[str, ...] = ()
    webhook: WebhookConfig | None = None
