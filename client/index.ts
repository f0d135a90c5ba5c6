/** What an application asks the broker with, in a browser as in Node: typed methods, over HTTP or an MQTT connection. */
export { type Call, CallError } from './calls.js'
export { type HttpOptions, httpCalls } from './http-calls.js'
export { type Methods, methods } from './methods.js'
export { type MqttConnection, type MqttOptions, mqttCalls } from './mqtt-calls.js'
