// Package openhim has the tests against a real OpenHIM core: the gateway registers with it,
// takes settings of its console, and issues what comes through its channels, over mutual
// TLS. The core is started from its npm package where the script for it is beside the
// repository, or named by OPENHIM_API, OPENHIM_GATEWAY, OPENHIM_USER and OPENHIM_PASSWORD;
// what needs a core that can be stopped is then left out.
package openhim
