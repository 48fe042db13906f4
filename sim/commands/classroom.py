"""The command that serves a class: class."""

from typing import Annotated

import typer

from sim.commands.common import app, console, errors_told


@app.command("class")
def serve_class(
    port: Annotated[int, typer.Option(help="Port to serve on.", min=1, max=65_535)] = 8501,
    address: Annotated[
        str | None,
        typer.Option(
            help="This computer's address on the network; found by itself where there is one.", show_default=False
        ),
    ] = None,
) -> None:
    """Serve the app to a class on the local network, and show the address with a QR code for the board."""
    with errors_told():
        from sim import classroom

        found = address or classroom.local_address()
        served = classroom.checked_address(found or classroom.LOOPBACK, port)
        classroom.serve(served, port, lambda: _show(served, port, is_found=found is not None))


def _show(address: str, port: int, is_found: bool) -> None:
    """What goes on the board."""
    from io import StringIO

    import segno
    from rich.text import Text

    from sim import classroom

    where, code, out = classroom.web_address(address, port), StringIO(), console()
    segno.make(where, micro=False).terminal(code, compact=True)
    out.print()
    # Black on white whatever the terminal's own colours: that is what cameras read.
    out.print(Text(code.getvalue().rstrip("\n"), style="#ffffff on #000000"))
    out.print(f"\nOpen {where}", style="bold")
    if is_found:
        out.print("Everybody on this network can open it, and nothing leaves the network. Ctrl-C ends it.")
    else:
        out.print(
            "No network was found, so only this computer can open it. On a network, name this computer's address there "
            "with --address. Ctrl-C ends it."
        )
