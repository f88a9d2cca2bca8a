/*
 * A load generator for one URL, or for several in turn: closed loop over keep-alive connections, one thread, epoll. It copies every body as a
 * puller does, spends little of the machine that the server needs too, and knows what a benchmark of a registry needs:
 * HEAD, bodies with Content-Length or in chunks, a duration or a number of requests.
 *
 *   load ADDRESS PORT METHOD "PATH [PATH...]" CONNECTIONS SECONDS|0 REQUESTS|0 [HEADER...]
 *
 * Prints one line of JSON: requests, errors (answers other than 200), bytes (of bodies), seconds, p50, p99 (microseconds).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_LIMIT = 16384, BUFFER = 256 * 1024, SAMPLES = 4 * 1024 * 1024, PATHS = 128 };

enum state { READING_HEAD, READING_BODY, READING_CHUNK_SIZE, READING_CHUNK };

struct connection {
  int fd;
  enum state state;
  char head[HEAD_LIMIT];
  size_t head_length;
  uint64_t left;
  double started;
  int next;
};

struct request {
  char text[4096];
  size_t length;
};

static struct request requests[PATHS];
static int paths;
static bool is_head;
static char buffer[BUFFER];
static uint32_t *samples;
static uint64_t sampled, finished, sent, errors, bytes, wanted;
static double deadline;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static bool may_send(void) {
  return wanted ? sent < wanted : now() < deadline;
}

static void send_request(struct connection *c) {
  c->state = READING_HEAD;
  c->head_length = 0;
  c->started = now();
  sent++;
  struct request *request = &requests[c->next++ % paths];
  if (send(c->fd, request->text, request->length, MSG_NOSIGNAL) != (ssize_t)request->length) fail("send");
}

static void response_done(struct connection *c) {
  if (sampled < SAMPLES) samples[sampled++] = (uint32_t)((now() - c->started) * 1e6);
  finished++;
  if (may_send()) {
    send_request(c);
  } else {
    close(c->fd);
    c->fd = -1;
  }
}

/* The head is complete: what follows it? */
static void head_done(struct connection *c) {
  if (strncmp(c->head + 9, "200", 3) != 0) errors++;
  c->left = 0;
  bool chunked = false;
  for (char *line = strstr(c->head, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, "content-length:", 15) == 0) c->left = strtoull(line + 17, NULL, 10);
    if (strncasecmp(line + 2, "transfer-encoding: chunked", 26) == 0) chunked = true;
  }
  if (is_head || (!chunked && c->left == 0)) {
    response_done(c);
  } else {
    c->state = chunked ? READING_CHUNK_SIZE : READING_BODY;
    c->head_length = 0;
  }
}

static size_t take_head(struct connection *c, const char *data, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (c->head_length + 1 >= HEAD_LIMIT) fail("a head that is too long");
    c->head[c->head_length++] = data[i];
    if (c->head_length >= 4 && memcmp(c->head + c->head_length - 4, "\r\n\r\n", 4) == 0) {
      c->head[c->head_length] = 0;
      head_done(c);
      return i + 1;
    }
  }
  return length;
}

/* A line with the size of the next chunk; the empty line after the last chunk ends the response. */
static size_t take_chunk_size(struct connection *c, const char *data, size_t length) {
  for (size_t i = 0; i < length; i++) {
    c->head[c->head_length++] = data[i];
    if (data[i] != '\n') continue;
    c->head[c->head_length] = 0;
    c->head_length = 0;
    if (c->left == UINT64_MAX) {
      response_done(c);
      return i + 1;
    }
    uint64_t size = strtoull(c->head, NULL, 16);
    bytes += size;
    c->left = size ? size + 2 : UINT64_MAX;
    if (size) c->state = READING_CHUNK;
    return i + 1;
  }
  return length;
}

static size_t take_body(struct connection *c, size_t length) {
  size_t taken = length < c->left ? length : c->left;
  c->left -= taken;
  if (c->state == READING_BODY) bytes += taken;
  if (c->left > 0) return taken;
  if (c->state == READING_CHUNK) c->state = READING_CHUNK_SIZE;
  else response_done(c);
  return taken;
}

static void receive(struct connection *c) {
  ssize_t length = recv(c->fd, buffer, BUFFER, 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) fail("the connection was closed");
  for (size_t at = 0; at < (size_t)length && c->fd >= 0;) {
    const char *data = buffer + at;
    size_t left = (size_t)length - at;
    if (c->state == READING_HEAD) at += take_head(c, data, left);
    else if (c->state == READING_CHUNK_SIZE) at += take_chunk_size(c, data, left);
    else at += take_body(c, left);
  }
}

static int connect_to(const char *address, int port) {
  struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  inet_pton(AF_INET, address, &target.sin_addr);
  if (fd < 0 || connect(fd, (struct sockaddr *)&target, sizeof target) != 0) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static int by_value(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void print_result(double seconds) {
  qsort(samples, sampled, sizeof *samples, by_value);
  printf("{\"requests\":%lu,\"errors\":%lu,\"bytes\":%lu,\"seconds\":%.6f,\"p50\":%u,\"p99\":%u}\n", finished, errors, bytes,
         seconds, sampled ? samples[sampled / 2] : 0, sampled ? samples[sampled * 99 / 100] : 0);
}

static void make_requests(char **argv, int headers) {
  is_head = strcmp(argv[3], "HEAD") == 0;
  for (char *path = strtok(argv[4], " "); path && paths < PATHS; path = strtok(NULL, " ")) {
    char *text = requests[paths].text;
    size_t size = sizeof requests[paths].text;
    int length = snprintf(text, size, "%s %s HTTP/1.1\r\nHost: %s:%s\r\n", argv[3], path, argv[1], argv[2]);
    for (int i = 0; i < headers; i++) length += snprintf(text + length, size - length, "%s\r\n", argv[8 + i]);
    requests[paths++].length = length + snprintf(text + length, size - length, "\r\n");
  }
}

int main(int argc, char **argv) {
  if (argc < 8) return fprintf(stderr, "load ADDRESS PORT METHOD PATHS CONNECTIONS SECONDS REQUESTS [HEADER...]\n"), 2;
  make_requests(argv, argc - 8);
  int count = atoi(argv[5]), events = epoll_create1(0);
  wanted = strtoull(argv[7], NULL, 10);
  samples = malloc(SAMPLES * sizeof *samples);
  struct connection *connections = calloc(count, sizeof *connections);
  for (int i = 0; i < count; i++) {
    connections[i].fd = connect_to(argv[1], atoi(argv[2]));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
    epoll_ctl(events, EPOLL_CTL_ADD, connections[i].fd, &event);
  }
  double start = now();
  deadline = start + atof(argv[6]);
  for (int i = 0; i < count && may_send(); i++) send_request(&connections[i]);
  struct epoll_event ready[64];
  while (finished < sent) {
    int n = epoll_wait(events, ready, 64, 30000);
    if (n == 0) return fprintf(stderr, "load: no answer for 30 seconds\n"), 1;
    for (int i = 0; i < n; i++) receive(ready[i].data.ptr);
  }
  print_result(now() - start);
  return 0;
}
