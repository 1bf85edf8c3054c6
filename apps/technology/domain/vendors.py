"""Vendors, found by their name."""

from apps.technology.models import Vendor


def vendor_called(name: str) -> Vendor:
    """Return the vendor of that name, whatever the case; added when it is new."""
    found: Vendor | None = Vendor.objects.filter(name__iexact=name).first()
    return found or Vendor.objects.create(name=name)
