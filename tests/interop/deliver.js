// Sends the messages of a JSON file to 127.0.0.1:PORT with node-hl7-client, as its documentation shows it, and
// prints MSA-1 and MSA-2 of each answer: node deliver.js PORT FILE
"use strict";

const { readFileSync } = require("node:fs");
const { Client, Message } = require("node-hl7-client");

async function deliver(port, file) {
  const texts = JSON.parse(readFileSync(file, "utf8"));
  let heard = () => {};
  const client = new Client({ host: "127.0.0.1" });
  const connection = client.createConnection({ port }, (answer) => {
    const message = answer.getMessage();
    console.log(`${message.get("MSA.1")} ${message.get("MSA.2")}`);
    heard();
  });
  for (const text of texts) {
    const answered = new Promise((resolve) => (heard = resolve));
    await connection.sendMessage(new Message({ text }));
    await answered;
  }
  await connection.close();
}

deliver(Number(process.argv[2]), process.argv[3]).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
