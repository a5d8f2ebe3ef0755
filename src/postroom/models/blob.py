"""What the object store holds."""

from django.db import models


class Blob(models.Model):
    """Bytes in the object store by SHA-256; the row is committed only after the bytes are safe.

    A file of its own; or, where `pack` is named, a piece of a file that holds many small ones.
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    size_bytes = models.BigIntegerField()
    #: 32 hexadecimal digits; "" = its own file.
    pack = models.CharField(max_length=32, blank=True, default="", db_default="")
    #: Of its first byte in the pack.
    offset = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(auto_now_add=True)
