"""The sign-in form, ready to type into."""

from typing import Any

from allauth.account.forms import LoginForm


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth ships no types
    """E-mail and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the fields as the rest of mops does, and start in the first."""
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label = "E-mail"
        login.widget.attrs |= {"autofocus": True, "autocomplete": "username webauthn"}
        for field in (login, password):
            field.widget.attrs.pop("placeholder", None)
