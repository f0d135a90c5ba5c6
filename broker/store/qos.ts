/** A quality of service of MQTT. */

export type QoS = 0 | 1 | 2
