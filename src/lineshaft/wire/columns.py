"""The columnar codec of DATA messages, both ways."""

from lineshaft.wire.decode import Rows, decode_rows
from lineshaft.wire.encode import encode_rows

__all__ = ["Rows", "decode_rows", "encode_rows"]
