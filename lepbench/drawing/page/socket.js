// The socket for pictures: opened again when it is lost; live requests wait for the answer to the last.

const AGAIN_MS = 1000;
const FULL = 1013;

export class PictureSocket {
  constructor(address, heard, opened) {
    this.address = address;
    this.heard = heard;
    this.opened = opened;
    this.number = 0;
    this.latest = { live: 0, rested: 0, better: 0 };
    this.busy = false;
    this.next = null;
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(this.address);
    this.socket.onopen = () => {
      this.busy = false;
      this.opened(true, "");
    };
    this.socket.onmessage = (event) => this.hear(JSON.parse(event.data));
    this.socket.onclose = ({ code }) => {
      this.opened(false, code === FULL ? "too many pages are open: close one" : "the server is gone; is lepbench draw still running?");
      setTimeout(() => this.connect(), AGAIN_MS);
    };
  }

  hear(message) {
    const current = message.number === this.latest[message.quality] || message.number === 0;
    if (message.quality === "live" && message.kind !== "progress") {
      this.busy = false;
      const next = this.next;
      this.next = null;
      if (next) this.askLive(next);
    }
    if (current) this.heard(message);
  }

  // While the pen moves one picture is finished before the next is asked for, or none ever would be.
  askLive(request) {
    if (this.busy) this.next = request;
    else if (this.ask("live", request)) this.busy = true;
  }

  // A finished stroke is drawn at once, in place of the picture that is under way.
  askNow(request) {
    this.next = null;
    const number = this.ask("live", request);
    this.busy = number > 0;
    return number;
  }

  ask(quality, request) {
    if (this.socket.readyState !== WebSocket.OPEN) return 0;
    this.latest[quality] = ++this.number;
    this.socket.send(JSON.stringify({ number: this.number, quality, ...request }));
    return this.number;
  }
}
