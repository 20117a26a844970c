// Reads addresses (one line of JSON: {port, addresses}) with the nodes7 client and prints what it read as JSON.
const NodeS7 = require("nodes7");
require("readline")
  .createInterface({ input: process.stdin })
  .once("line", (line) => {
    const { port, addresses } = JSON.parse(line);
    const plc = new NodeS7({ silent: true });
    plc.initiateConnection({ port, host: "127.0.0.1", rack: 0, slot: 1 }, (error) => {
      if (error) throw error;
      plc.addItems(addresses);
      plc.readAllItems((bad, values) => {
        console.log(JSON.stringify({ bad, values }));
        plc.dropConnection(() => process.exit(0));
      });
    });
  });
