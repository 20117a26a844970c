// An OPC UA server on node-opcua, which shares no code with our client: `node peer_server.js PORT PKI_FOLDER`.
"use strict";
const { OPCUAServer, OPCUACertificateManager, Variant, DataType, DataValue, StatusCodes, VariantArrayType,
        coerceLocalizedText, coerceInt64, coerceUInt64 } = require("node-opcua");

async function main(port, folder) {
  const manager = new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
  await manager.initialize();
  const server = new OPCUAServer({
    port,
    hostname: "peer.invalid", // what a server behind NAT does: its endpoints name a host that nobody can reach
    serverCertificateManager: manager,
    userCertificateManager: manager,
    userManager: { isValidUser: (user, password) => user === "reader" && password === "let me in" },
    serverCapabilities: { operationLimits: { maxNodesPerRead: 7, maxMonitoredItemsPerCall: 5, maxNodesPerBrowse: 3 } },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  space.registerNamespace("urn:peer:padding");
  const own = space.registerNamespace("urn:lineshaft:peer");
  const folderNode = own.addFolder(space.rootFolder.objects, { browseName: "Machine" });
  const add = (name, dataType, value, arrayType) => {
    const variable = own.addVariable({ componentOf: folderNode, browseName: name, nodeId: `s=Machine.${name}`, dataType,
      valueRank: arrayType ? 1 : -1 });
    variable.setValueFromSource({ dataType, value, arrayType: arrayType || VariantArrayType.Scalar });
    return variable;
  };
  add("Boolean", DataType.Boolean, true);
  add("SByte", DataType.SByte, -5);
  add("Byte", DataType.Byte, 250);
  add("Int16", DataType.Int16, -30000);
  add("UInt16", DataType.UInt16, 60000);
  add("Int32", DataType.Int32, -2000000000);
  add("UInt32", DataType.UInt32, 4000000000);
  add("Int64", DataType.Int64, coerceInt64("-9007199254740993"));
  add("UInt64", DataType.UInt64, coerceUInt64("18446744073709551615"));
  add("Float", DataType.Float, 0.5);
  add("Double", DataType.Double, -1.0e-7);
  add("String", DataType.String, "Gewinde M8 \u00d8");
  add("DateTime", DataType.DateTime, new Date("2024-02-29T12:00:00.123Z"));
  add("LocalizedText", DataType.LocalizedText, coerceLocalizedText("laeuft"));
  add("Array", DataType.Double, new Float64Array([1, 2, 3]), VariantArrayType.Array);
  const uncertain = add("Uncertain", DataType.Double, 7);
  uncertain.setValueFromSource({ dataType: DataType.Double, value: 7 }, StatusCodes.UncertainSensorNotAccurate);
  const broken = add("Broken", DataType.Double, 7);
  broken.setValueFromSource({ dataType: DataType.Double, value: 7 }, StatusCodes.BadSensorFailure);
  for (const [name, dataType, value] of [["Setpoint", DataType.Float, 21.5], ["Mode", DataType.Int16, 2],
    ["Batch", DataType.UInt64, coerceUInt64("18446744073709551615")], ["Recipe", DataType.String, "M8"],
    ["Run", DataType.Boolean, false]]) {
    own.addVariable({ componentOf: folderNode, browseName: name, nodeId: `s=Machine.${name}`, dataType,
      value: new Variant({ dataType, value, arrayType: VariantArrayType.Scalar }) });
  }
  own.addVariable({ componentOf: folderNode, browseName: "Fixed", nodeId: "s=Machine.Fixed", dataType: DataType.Float,
    accessLevel: "CurrentRead", value: new Variant({ dataType: DataType.Float, value: 1 }) });
  const analog = own.addAnalogDataItem({ componentOf: folderNode, browseName: "Pressure", nodeId: "s=Machine.Pressure",
    dataType: "Double", engineeringUnitsRange: { low: 0, high: 10 },
    engineeringUnits: { namespaceUri: "http://www.opcfoundation.org/UA/units/un/cefact", unitId: 4338743,
      displayName: { text: "bar" }, description: { text: "bar" } } });
  analog.setValueFromSource({ dataType: DataType.Double, value: 6.5 });
  const counter = add("Counter", DataType.Double, 0);
  let count = 0;
  setInterval(() => counter.setValueFromSource({ dataType: DataType.Double, value: (count += 1) }), 50);
  const ramp = own.addAnalogDataItem({ componentOf: folderNode, browseName: "Ramp", nodeId: "s=Machine.Ramp",
    dataType: "Double", engineeringUnitsRange: { low: 0, high: 100 } });
  ramp.setValueFromSource({ dataType: DataType.Double, value: 0 });
  setInterval(() => ramp.setValueFromSource({ dataType: DataType.Double, value: count % 100 }), 50);
  const recorded = add("Recorded", DataType.Double, 0);
  space.installHistoricalDataNode(recorded, { maxOnlineValues: 100000 });
  let number = 0;
  setInterval(() => recorded.setValueFromSource({ dataType: DataType.Double, value: (number += 1) }), 25);
  addAlarm(space, own, folderNode);
  await server.start();
  console.log(`ready ${port}`);
}

function addAlarm(space, own, folder) {
  space.installAlarmsAndConditionsService();
  const tank = own.addObject({ browseName: "Tank", nodeId: "s=Tank", organizedBy: folder,
    eventSourceOf: space.rootFolder.objects.server });
  const level = own.addVariable({ componentOf: tank, browseName: "Level", nodeId: "s=Tank.Level", dataType: "Double",
    accessLevel: "CurrentRead | CurrentWrite", userAccessLevel: "CurrentRead | CurrentWrite",
    value: { dataType: DataType.Double, value: 50 } });
  const alarm = own.instantiateExclusiveLimitAlarm("ExclusiveLimitAlarmType", { browseName: "TankLevel",
    nodeId: "s=Tank.Alarm", componentOf: tank, conditionSource: tank, inputNode: level,
    highHighLimit: 90, highLimit: 70, lowLimit: 20, lowLowLimit: 10 });
  alarm.setEnabledState(true);
}

main(Number(process.argv[2]), process.argv[3]).catch((error) => { console.error(error); process.exit(1); });
