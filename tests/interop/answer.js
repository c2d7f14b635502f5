// simple-hl7's server on 127.0.0.1:PORT as its documentation shows it: it reads each message, answers AA, and
// keeps nothing: node answer.js PORT
"use strict";

const hl7 = require("simple-hl7");

const app = hl7.tcp();
app.use((request, response, next) => response.end());
app.use((error, request, response, next) => console.error(error));
app.start(Number(process.argv[2]));
