from mirror_server import mirror_server as mirror_server
from mirror_server import silent_port as silent_port
