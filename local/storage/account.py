"""The one account of the emulator. Its name and key are published: they protect nothing."""

NAME = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def connection_string(port: int) -> str:
    """The account with blobs on a port, queues on the next, tables on the one after."""
    endpoints = (
        f"{service}Endpoint=http://127.0.0.1:{port + offset}/{NAME};"
        for offset, service in enumerate(("Blob", "Queue", "Table"))
    )
    return f"DefaultEndpointsProtocol=http;AccountName={NAME};AccountKey={KEY};{''.join(endpoints)}"
