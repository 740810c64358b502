"""Paho's Python client, driven by lines of JSON on standard input: what happened comes back the same way."""

import json
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


def say(**fact):
    print(json.dumps(fact), flush=True)


def main():
    host, port, path = sys.argv[1:4]
    client = None
    for line in sys.stdin:
        command = json.loads(line)
        kind = command["type"]
        if kind == "connect":
            client = connect(command, host, int(port), path)
        elif kind == "subscribe":
            client.subscribe(command["filter"], qos=command["qos"])
        elif kind == "publish":
            client.publish(command["topic"], command["payload"], qos=command["qos"], retain=command["retain"])
        elif kind == "disconnect":
            client.disconnect()


def connect(command, host, port, path):
    version = mqtt.MQTTv5 if command["level"] == 5 else mqtt.MQTTv311
    options = {} if version == mqtt.MQTTv5 else {"clean_session": not command["persistent"]}
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2,
        client_id=command["clientId"],
        protocol=version,
        transport="websockets",
        **options,
    )
    client.ws_set_options(path=path)
    client.on_connect = lambda c, u, flags, reason, p: say(
        type="connected", present=flags.session_present, failed=reason.is_failure
    )
    client.on_subscribe = lambda *_: say(type="subscribed")
    client.on_publish = lambda *_: say(type="published")
    client.on_disconnect = lambda *_: say(type="disconnected")
    client.on_message = lambda c, u, m: say(
        type="message", topic=m.topic, payload=m.payload.decode(), qos=m.qos, retain=m.retain
    )
    if command.get("will"):
        client.will_set(command["will"]["topic"], command["will"]["payload"], qos=command["will"]["qos"])
    more = {}
    if version == mqtt.MQTTv5:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 300 if command["persistent"] else 0
        more = {"clean_start": not command["persistent"], "properties": properties}
    client.connect(host, port, keepalive=30, **more)
    client.loop_start()
    return client


main()
