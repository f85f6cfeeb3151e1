'use strict'
// Loaded before a core of 4.x: it asks for TLS 1.0 alone towards mediators, which neither
// today's OpenSSL nor the gateway speaks. Later cores leave the version to Node.js, as here.
const https = require('https')
const request = https.request
https.request = function (options, ...rest) {
  if (options && options.secureProtocol === 'TLSv1_method') delete options.secureProtocol
  return request.call(this, options, ...rest)
}
