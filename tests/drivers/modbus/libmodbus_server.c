/* A Modbus server on libmodbus, the independent peer of the driver tests.
 *
 * libmodbus_server tcp               listens on a free port of 127.0.0.1
 * libmodbus_server rtu DEVICE UNIT   serves a serial line, 19200 8N1
 *
 * Reads "h|i|c|d ADDRESS VALUE" lines up to "go" from stdin, prints "ready PORT", serves until killed.
 */
#include <modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static modbus_mapping_t *load(void)
{
    modbus_mapping_t *map = modbus_mapping_new(2000, 2000, 60000, 60000);
    char line[64], table;
    int address;
    unsigned value;
    while (map != NULL && fgets(line, sizeof line, stdin) != NULL && strncmp(line, "go", 2) != 0) {
        if (sscanf(line, "%c %d %u", &table, &address, &value) != 3)
            continue;
        switch (table) {
        case 'h': map->tab_registers[address] = value; break;
        case 'i': map->tab_input_registers[address] = value; break;
        case 'c': map->tab_bits[address] = value; break;
        case 'd': map->tab_input_bits[address] = value; break;
        }
    }
    return map;
}

static void serve(modbus_t *ctx, modbus_mapping_t *map)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
        int length = modbus_receive(ctx, query);
        if (length > 0)
            modbus_reply(ctx, query, length, map);
        else if (length < 0)
            return;
    }
}

int main(int argc, char **argv)
{
    modbus_mapping_t *map = load();
    if (argc > 3 && strcmp(argv[1], "rtu") == 0) {
        modbus_t *ctx = modbus_new_rtu(argv[2], 19200, 'N', 8, 1);
        modbus_set_slave(ctx, atoi(argv[3]));
        if (modbus_connect(ctx) < 0)
            return 1;
        printf("ready 0\n");
        fflush(stdout);
        for (;;)
            serve(ctx, map);
    }
    modbus_t *ctx = modbus_new_tcp("127.0.0.1", 0);
    int listener = modbus_tcp_listen(ctx, 4);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (listener < 0 || getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        return 1;
    printf("ready %d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;)
        if (modbus_tcp_accept(ctx, &listener) >= 0) {
            serve(ctx, map);
            modbus_close(ctx);
        }
}
