"""Answers every question for a name with 127.0.0.1, and every request with 404, in a network of its own.

Runs the command that follows, then prints what was asked for, one name or path a line.
"""

import fcntl
import http.server
import socket
import struct
import subprocess
import sys
import threading

SIOCSIFFLAGS, IFF_UP = 0x8914, 1
asked = []


def answer_names(server):
    while True:
        query, client = server.recvfrom(512)
        end, words = 12, []
        while query[end]:
            words.append(query[end + 1 : end + 1 + query[end]].decode())
            end += 1 + query[end]
        kind = struct.unpack(">H", query[end + 1 : end + 3])[0]
        asked.append(".".join(words))
        question = query[12 : end + 5]
        count = 1 if kind == 1 else 0
        answer = query[:2] + struct.pack(">5H", 0x8180, 1, count, 0, 0) + question
        if count:
            answer += struct.pack(">3HIH4B", 0xC00C, 1, 1, 60, 4, 127, 0, 0, 1)
        server.sendto(answer, client)


class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        self.send_response(404)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("127.0.0.1", 53))
threading.Thread(target=answer_names, args=(names,), daemon=True).start()
registry = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Registry)
threading.Thread(target=registry.serve_forever, daemon=True).start()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True, timeout=120)
print("\n".join(asked))
sys.stderr.write(done.stdout + done.stderr)
