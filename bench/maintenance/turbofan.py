"""C-MAPSS: remaining life of turbofans, learned on the training parts only, by the functions behind `lineshaft rul`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.maintenance.data import recordings
from bench.report import Report
from lineshaft.analytics.remaining_life.learned import LearnedModel, fit_learned
from lineshaft.commands.rul import columns_of, histories_of, read_model, read_table, read_truth, score, write_model

PUBLISHED = {"FD001": (12.61, 10.61), "FD002": (22.36, 13.47), "FD003": (12.64, 10.71), "FD004": (23.31, 15.87)}
"""RMSE, remaining life cut at 125: DCNN 2018, STAR 2024."""


def measure(report: Report, small: bool) -> None:
    """FD001 on its test part; the others on training engines left out, because their test parts are not here."""
    folder = recordings("cmapss")
    if folder is None:
        name = "C-MAPSS FD001 test part, RMSE cut at 125"
        report.add(name, None, "cycles", target=12.7, better="lower", note="recordings absent")
        return
    for name in ("FD001",) if small else ("FD001", "FD002", "FD003", "FD004"):
        _one(report, folder, name)


def _one(report: Report, folder: Path, name: str) -> None:
    path = next(folder.glob(f"train_{name}.*"))
    names, rows = read_table(path)
    signals, operating = columns_of(names, rows)
    model = fit_learned(histories_of(names, rows, signals, operating), signals, operating)
    with tempfile.TemporaryDirectory() as place:
        write_model(Path(place) / "model.npz", model)
        model = read_model(Path(place) / "model.npz")
    dcnn, star = PUBLISHED[name]
    published = f"published on the test part: DCNN 2018 {dcnn}, STAR 2024 {star}"
    title = f"C-MAPSS {name}, training engines left out, RMSE cut at 125"
    report.add(title, float(model.record["error"]), "cycles", better="lower", note=f"all cycles; {published}")
    test = folder / f"test_{name}.txt.gz"
    if test.exists():
        _test_part(report, model, name, test, folder / f"RUL_{name}.txt.gz", published)


def _test_part(report: Report, model: LearnedModel, name: str, test: Path, truth: Path, published: str) -> None:
    names, rows = read_table(test)
    histories = histories_of(names, rows, model.signals, model.operating)
    found = [(history, model.remaining(history)) for history in histories]
    cut, whole = score(found, read_truth(truth, len(found)), model.cap).values()
    part = f"C-MAPSS {name} test part"
    report.add(f"{part}, RMSE cut at 125", cut["rmse"], "cycles", target=12.7, better="lower", note=published)
    report.add(f"{part}, RMSE as it is", whole["rmse"], "cycles", better="lower", note="30 lines of boosting: 13.88")
    report.add(f"{part}, score cut at 125", cut["score"], "", better="lower")
    report.add(f"{part}, score as it is", whole["score"], "", better="lower")
    report.add(f"{part}, P10-P90 covers, cut at 125", 100 * cut["coverage"], "%", note="aim 80")
