"""Operations AWS has and a service of the sandbox does not: refused by name.

Left alone they would go to moto, which knows other things than the sandbox's own service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

from botocore import xform_name

from sandbox.errors import AwsError
from sandbox.honesty import refused


class RefusedByName:
    """Answers every one of `operations` of a service with the error `code`."""

    def __init__(self, service: str, operations: Iterable[str], code: str) -> None:
        self._service = service
        self._code = code
        self._names = {xform_name(name): name for name in operations}

    def __getattr__(self, method: str) -> Callable[..., NoReturn]:
        """The refusal of an operation in snake case; AttributeError for any other name."""
        # A private name is asked for only where __init__ has not run, as when a copy is made.
        if method.startswith("_") or method not in self._names:
            raise AttributeError(method)
        error = AwsError(
            self._code, f"The sandbox does not support {self._service}:{self._names[method]}."
        )

        @refused(f"Answered with {self._code}.")
        def refuse(**_: object) -> NoReturn:
            raise error

        return refuse
