"""The command line: declares the commands and their options; each imports its work when it is called."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

import lineshaft
from lineshaft.commands.arguments import DataOption, JsonOption, PlantArgument, PortOption, TokenOption
from lineshaft.commands.model_app import app as model_app
from lineshaft.errors import LineshaftError

app = typer.Typer(
    name="lineshaft",
    help="Open Industrial IoT platform: machine signal in, timely decision out.",
    epilog="Exit codes: 0 ok, 1 failure, 2 wrong usage or plant, 3 unreachable, 4 denied, 5 part not installed.",
    rich_markup_mode=None,  # plain help starts in half the time
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(model_app, name="model")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lineshaft {lineshaft.__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show Python tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""
    if debug:
        os.environ["LINESHAFT_DEBUG"] = "1"  # child processes take it over


@app.command()
def demo(
    plant: Annotated[str, typer.Argument(metavar="[PLANT]", help="A plant with a simulator section.")] = "demo",
    data: DataOption = None,
    port: PortOption = None,
) -> None:
    """Run a simulated factory with broker, gateway, hub and page."""
    from lineshaft.commands import run

    parts = ("broker", "hub", "simulator", "gateway")
    raise typer.Exit(run.supervise(run.Wanted(plant, parts, data, port, move=True)))


@app.command()
def up(plant: PlantArgument, data: DataOption = None, port: PortOption = None) -> None:
    """Run broker, gateway, hub and page for a plant."""
    from lineshaft.commands import run

    raise typer.Exit(run.supervise(run.Wanted(plant, ("broker", "hub", "gateway"), data, port)))


@app.command()
def hub(plant: PlantArgument, data: DataOption = None, port: PortOption = None) -> None:
    """Run the hub alone, with its broker when the plant names no other."""
    from lineshaft.commands import run

    raise typer.Exit(run.supervise(run.Wanted(plant, ("broker", "hub"), data, port)))


@app.command()
def gateway(plant: PlantArgument, data: DataOption = None) -> None:
    """Run the edge gateway alone."""
    from lineshaft.commands import run

    raise typer.Exit(run.run_part("gateway", plant, data, ()))


@app.command()
def simulate(
    plant: Annotated[str, typer.Argument(metavar="[PLANT]", help="A plant with a simulator section.")] = "demo",
    data: DataOption = None,
) -> None:
    """Run the simulated factory alone."""
    from lineshaft.commands import run

    raise typer.Exit(run.run_part("simulator", plant, data, ()))


@app.command(hidden=True)
def part(
    name: str, plant: PlantArgument, data: DataOption = None, move: Annotated[list[str] | None, typer.Option()] = None
) -> None:
    """Run one part as the supervisor does."""
    from lineshaft.commands import run

    raise typer.Exit(run.run_part(name, plant, data, move or ()))


@app.command()
def check(plant: PlantArgument, json: JsonOption = False) -> None:
    """Check a plant folder: every mistake at once, with file and line. Connects to nothing."""
    from lineshaft.commands import check as command

    raise typer.Exit(command.run(plant, as_json=json))


@app.command()
def doctor(
    plant: Annotated[str, typer.Argument(metavar="[PLANT]", help="Plant folder, or one that comes along.")] = "demo",
    data: DataOption = None,
    token: TokenOption = "",
    devices: Annotated[bool, typer.Option(help="Try every device.")] = True,
    json: JsonOption = False,
) -> None:
    """Go through every part: what is wrong, and how to mend it."""
    from lineshaft.commands import doctor as command

    raise typer.Exit(command.run(plant, data=data, token=token, devices=devices, as_json=json))


fault_app = typer.Typer(help="Break the simulated factory and mend it.", no_args_is_help=True)
app.add_typer(fault_app, name="fault")
DemoOption = Annotated[str, typer.Option("--plant", help="The plant that is simulated.")]
ApiPortOption = Annotated[int | None, typer.Option("--port", help="Port of the simulator, when it is another.")]


@fault_app.command("list")
def fault_list(
    plant: DemoOption = "demo", data: DataOption = None, port: ApiPortOption = None, json: JsonOption = False
) -> None:
    """List the faults that there are and those that are active."""
    from lineshaft.commands import fault

    raise typer.Exit(fault.show(fault.client_for(plant, data, port), json))


@fault_app.command("inject")
def fault_inject(
    name: Annotated[str, typer.Argument(metavar="FAULT", help="Which fault; see `lineshaft fault list`.")],
    asset: Annotated[str, typer.Argument(metavar="[ASSET]", help="Where; not needed when only one place has it.")] = "",
    severity: Annotated[float | None, typer.Option(help="How bad; 1 is usual.")] = None,
    plant: DemoOption = "demo",
    data: DataOption = None,
    port: ApiPortOption = None,
    json: JsonOption = False,
) -> None:
    """Begin a fault."""
    from lineshaft.commands import fault

    raise typer.Exit(fault.inject(fault.client_for(plant, data, port), name, asset, severity, json))


@fault_app.command("clear")
def fault_clear(
    number: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="Which one; all when absent.")] = None,
    plant: DemoOption = "demo",
    data: DataOption = None,
    port: ApiPortOption = None,
    json: JsonOption = False,
) -> None:
    """Take a fault back, or all of them."""
    from lineshaft.commands import fault

    raise typer.Exit(fault.clear(fault.client_for(plant, data, port), number, json))


oee_app = typer.Typer(help="OEE: states out of logs, and the KPIs that there are.", no_args_is_help=True)
app.add_typer(oee_app, name="oee")


@oee_app.command("states")
def oee_states(
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="MTConnect adapter logs, .gz as well.")],
    execution: Annotated[str, typer.Option(help="Item that holds the execution state.")] = "execution",
    counter: Annotated[str, typer.Option(help="Item with the machine's own seconds in automatic.")] = "auto_time",
    longest_gap: Annotated[str, typer.Option(help="A longer drop-out stays unknown.")] = "10min",
    cycle_stop: Annotated[str, typer.Option(help="A shorter stop within a cycle is a hold.")] = "60s",
    within: Annotated[float, typer.Option(help="Allowed difference from the counter, in percent.")] = 1.0,
    json: JsonOption = False,
) -> None:
    """Machine states out of logs with drop-outs and wrong clocks, beside the machine's own counter."""
    from lineshaft.commands import oee

    question = oee.Question(execution, counter, oee.rules_of(longest_gap, cycle_stop), within)
    raise typer.Exit(oee.run_states(logs, question, as_json=json))


@oee_app.command("kpis")
def oee_kpis(json: JsonOption = False) -> None:
    """Every KPI with its formula and unit."""
    from lineshaft.commands import oee

    raise typer.Exit(oee.run_kpis(as_json=json))


@oee_app.command("propose")
def oee_propose(
    plant: PlantArgument,
    write: Annotated[bool, typer.Option(help="Write oee.yaml into the plant folder, where it has none.")] = False,
) -> None:
    """Machines that could be measured, guessed from the names and kinds of the plant's signals."""
    from lineshaft.commands import oee_propose as command

    raise typer.Exit(command.run(plant, write=write))


@app.command()
def connect(
    address: Annotated[
        list[str],
        typer.Argument(
            metavar="ADDRESS", help="opc.tcp://host:4840, modbus-tcp://host:502/1, mtconnect http://host:5000"
        ),
    ],
    plant: Annotated[str, typer.Option(help="Plant folder that gets the device; without it the YAML is printed.")] = "",
    name: Annotated[str, typer.Option(help="What people call the device.")] = "",
    asset: Annotated[str, typer.Option(help="Path below the site, like hall/line-1/press-4; may be new.")] = "",
    profile: Annotated[str, typer.Option(help="Device profile; else what the device says that it is.")] = "",
    match: Annotated[str, typer.Option(help="Only signals with this in their name or path.")] = "",
    poll: Annotated[str, typer.Option(help="How often signals are read.")] = "1s",
    trust: Annotated[str, typer.Option(help="Accept the OPC UA certificate with this thumbprint.")] = "",
    signal: Annotated[
        list[str] | None, typer.Option(help="NAME=ADDRESS[,UNIT], for devices that cannot say what they have.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the YAML and change nothing.")] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Connect a device: test it, see what it has, look at its values, and write its YAML."""
    from lineshaft.commands import connect as command

    more = tuple(signal or ())
    wanted = command.Wanted(
        " ".join(address), plant, name, asset, profile, match, poll, trust, more, dry_run, data, json
    )
    raise typer.Exit(command.run(wanted))


opcua_app = typer.Typer(help="Look after OPC UA.", no_args_is_help=True)
app.add_typer(opcua_app, name="opcua")


@opcua_app.command("trust")
def opcua_trust(
    plant: PlantArgument,
    action: Annotated[str, typer.Argument(metavar="[ACTION]", help="list, accept or reject.")] = "list",
    thumbprint: Annotated[str, typer.Argument(metavar="[THUMBPRINT]", help="Or the beginning of it.")] = "",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show the certificates of OPC UA servers; accept or reject one."""
    from lineshaft.commands import trust as command

    raise typer.Exit(command.run(plant, action, thumbprint, data=data, as_json=json))


@app.command()
def tags(
    plant: PlantArgument,
    match: Annotated[str, typer.Argument(metavar="[TEXT]", help="Only paths with this in them.")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Follow the values of the running hub.")] = False,
    live: Annotated[bool, typer.Option("--live", help="With the latest values of the running hub.")] = False,
    token: TokenOption = "",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List the signals of a plant, or their values in the running hub."""
    from lineshaft.commands import tags as command

    raise typer.Exit(command.run(plant, data=data, match=match, token=token, watch=watch, live=live, as_json=json))


@app.command()
def backtest(
    plant: PlantArgument,
    operator: Annotated[str, typer.Option("--operator", help="Id of an operator in the plant folder.")],
    start: Annotated[str, typer.Option("--start", help="Like 2026-05-01 or 2026-05-01T06:00, local time.")],
    end: Annotated[str, typer.Option("--end", help="Not included.")],
    asset: Annotated[str, typer.Option("--asset", help="Path below the site; all that it fits when absent.")] = "",
    token: TokenOption = "",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show what an operator would have found in the history of the running hub."""
    from lineshaft.commands import backtest as command

    raise typer.Exit(command.run(plant, operator, start, end, asset=asset, data=data, token=token, as_json=json))


@app.command()
def diagnose(
    records: Annotated[list[Path], typer.Argument(help="Records, or folders of them: .mat .csv .npy .parquet .wav.")],
    bearing: Annotated[str, typer.Option(help="Bearing of the library, such as 6205.")] = "",
    geometry: Annotated[str, typer.Option(help="n,d,D[,angle]: elements, their diameter, pitch, degrees.")] = "",
    orders: Annotated[str, typer.Option(help="BPFO,BPFI,BSF,FTF as multiples of the shaft's speed.")] = "",
    speed: Annotated[float | None, typer.Option(help="Turns a minute, where a file does not say it.")] = None,
    speed_range: Annotated[str, typer.Option(help="low,high turns a minute: look for the speed within.")] = "",
    rate: Annotated[float | None, typer.Option(help="Samples a second, where a file does not say it.")] = None,
    unit: Annotated[str, typer.Option(help="Unit of the acceleration; m/s2, or what the file's form implies.")] = "",
    channel: Annotated[str, typer.Option(help="Column, variable or number of the channel; the first one.")] = "",
    labels: Annotated[Path | None, typer.Option(help="CSV: file,label[,speed,rate,unit,bearing].")] = None,
    teeth: Annotated[int | None, typer.Option(help="Teeth of the gear on this shaft.")] = None,
    mains: Annotated[float | None, typer.Option(help="Hz of the supply, to find electrical causes.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write a line per record here.")] = None,
    json: JsonOption = False,
) -> None:
    """Name the bearing's fault in records of vibration; with labels, print a confusion table."""
    from lineshaft.commands import diagnose as command

    options = command.Options(bearing, geometry, orders, speed, speed_range, rate, unit, channel, labels, teeth, mains)
    raise typer.Exit(command.run(records, options, as_json=json, csv_file=csv))


rul_app = typer.Typer(help="Learn and predict the remaining life of a fleet.", no_args_is_help=True)
app.add_typer(rul_app, name="rul")


@rul_app.command("train")
def rul_train(
    data: Annotated[Path, typer.Argument(help="Histories that ended: CSV with unit, cycle, signals; or C-MAPSS text.")],
    out: Annotated[Path, typer.Option("--out", help="File for the model.")],
    cap: Annotated[float, typer.Option(help="Remaining cycles above which no wear is to be seen.")] = 125.0,
    json: JsonOption = False,
) -> None:
    """Learn from machines that ran to failure."""
    from lineshaft.commands import rul as command

    raise typer.Exit(command.train(data, out, cap=cap, as_json=json))


@rul_app.command("predict")
def rul_predict(
    model: Annotated[Path, typer.Argument(help="Model of `lineshaft rul train`.")],
    data: Annotated[Path, typer.Argument(help="Machines that still run, in the form of the training file.")],
    truth: Annotated[Path | None, typer.Option(help="True remaining cycles, one a machine: print the scores.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write a line per machine here.")] = None,
    json: JsonOption = False,
) -> None:
    """Remaining life of each machine after its last cycle, with its interval."""
    from lineshaft.commands import rul as command

    raise typer.Exit(command.predict(model, data, truth, as_json=json, csv_file=csv))


@app.command()
def anomaly(
    data: Annotated[Path, typer.Argument(help="CSV with a time, signals and perhaps a column of labels; .gz too.")],
    train: Annotated[float, typer.Option(help="Part (below 1) or number of the first rows that are normal.")] = 0.15,
    train_file: Annotated[Path | None, typer.Option(help="A file of normal rows, in place of --train.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Windows: JSON of the form of NAB, or CSV begin,end.")] = None,
    signals: Annotated[str, typer.Option(help="Columns to look at, with commas; all.")] = "",
    operating: Annotated[str, typer.Option(help="Columns that say the operation: compare within its regimes.")] = "",
    step: Annotated[float, typer.Option(help="Seconds between rows, when there is no time.")] = 0.0,
    persistence: Annotated[int, typer.Option(help="Rows in a row beyond the limit that begin an alarm.")] = 6,
    level: Annotated[float, typer.Option(help="Part of normal rows that stays below the limit.")] = 0.995,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the score of each row here.")] = None,
    json: JsonOption = False,
) -> None:
    """Find what is not normal in recorded signals, and which signal shows it."""
    from lineshaft.commands import anomaly as command

    options = command.Options(train, train_file, labels, signals, operating, step, persistence, level=level)
    raise typer.Exit(command.run(data, options, as_json=json, csv_file=csv))


@app.command()
def schema(
    reference: Annotated[
        Path | None, typer.Option(hidden=True, help="Write the reference pages into this folder.")
    ] = None,
) -> None:
    """Print the JSON Schema of plant files, for editors."""
    from lineshaft.commands import schema as command

    raise typer.Exit(command.run(reference))


def main() -> None:
    """Entry point of the command `lineshaft`."""
    try:
        app()
    except LineshaftError as error:
        if os.environ.get("LINESHAFT_DEBUG"):
            raise
        from lineshaft.commands.output import show_error

        sys.exit(show_error(error))
    except Exception as error:  # the one boundary of the program: people get a sentence, logs get the rest
        from lineshaft.server.messages import SUPERVISED

        if os.environ.get("LINESHAFT_DEBUG") or os.environ.get(SUPERVISED):
            raise
        words = f"error: this is a mistake in lineshaft: {type(error).__name__}: {error}"
        sys.exit(f"{words}\n  hint: `lineshaft --debug ...` shows where; please report it")
