"""What the object store holds."""

from django.db import models


class Blob(models.Model):
    """Bytes in the object store by SHA-256; the row is committed only after the bytes are safe."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size_bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
