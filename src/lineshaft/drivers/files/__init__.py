"""File drop: CSV and Parquet files that others put into a folder."""

from __future__ import annotations

from lineshaft.drivers.base import DriverSpec
from lineshaft.drivers.files.driver import FilesDriver
from lineshaft.drivers.files.options import FilesAddress, FilesConnection

SPEC = DriverSpec(
    name="files",
    title="File drop (CSV, Parquet)",
    connection=FilesConnection,
    address=FilesAddress,
    create=FilesDriver,
    push=True,
    docs="guide/drivers/files.md",
    waveforms="told",
)
