"""What a step may have changed, so that only that is derived again.

Postings, each test and each balance depend on some facts and not on others. What is left out is
what could not have changed; the property tests hold that to the letter.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class News:
    """What may have changed.

    Attributes:
        postings: Postings of the trips and stocks named below, or of a process input.
        restated: What is known of the material, and with it every place and process input.
        all_trips: Postings of every trip.
        declared: The lot was declared.
        trips: Trips that have a new end.
        stocks: Sites with a new stock weighing.
        sites: Sites whose figures of the composition changed; None for any.
        tests: Ask every test of every trip and site.
    """

    postings: bool = False
    restated: bool = False
    all_trips: bool = False
    declared: bool = False
    trips: set[str] = field(default_factory=set)
    stocks: set[str] = field(default_factory=set)
    sites: set[str] | None = field(default_factory=set)
    tests: bool = False

    @property
    def derives(self) -> bool:
        """Some posting or balance may be another."""
        return self.postings or self.restated or self.all_trips

    @property
    def composes(self) -> bool:
        """What is known of the composition anywhere may be another."""
        return self.tests or self.sites is None or bool(self.sites)

    @property
    def asks(self) -> bool:
        """Some test may say something else."""
        return self.composes or bool(self.trips)

    def measured(self, site: str | None) -> None:
        """Note that a site's figures changed; None for any site's."""
        if site is None:
            self.sites = None
        elif self.sites is not None:
            self.sites.add(site)

    def everything(self) -> None:
        """Note that anything may have changed."""
        self.postings = self.restated = self.all_trips = self.tests = True
        self.sites = None
