// A Modbus TCP server on the npm package modbus-serial, an independent peer of the driver tests.
// Reads {"holding": {"0": 5}, ...} as one line of JSON from stdin, prints "ready PORT".
const ModbusRTU = require("modbus-serial");
const readline = require("readline");

readline.createInterface({ input: process.stdin }).once("line", (line) => {
  const tables = JSON.parse(line);
  const read = (table) => (address) => tables[table][address] ?? 0;
  const write = (table) => (address, value) => void (tables[table][address] = Number(value));
  const server = new ModbusRTU.ServerTCP(
    {
      getHoldingRegister: read("holding"),
      getInputRegister: read("input"),
      getCoil: (address) => Boolean(read("coil")(address)),
      setRegister: write("holding"),
      setCoil: write("coil"),
      getDiscreteInput: (address) => Boolean(read("discrete")(address)),
    },
    { host: "127.0.0.1", port: 0, unitID: 1 },
  );
  server.on("initialized", () => console.log(`ready ${server._server.address().port}`));
});
