/** One line for each request, with distribution's field names, so that queries on its logs go on working. */
import type { Logger } from '#shared/logger.ts';
import type { ExchangeObserver, ExchangeRecord } from './exchange.ts';
import { remoteAddress } from './remote-address.ts';

/** With `disabled` (`log.accesslog.disabled`) only failures of ours are logged. */
export function accessLog(logger: Logger, disabled: boolean): ExchangeObserver {
  return {
    finished(record) {
      if (record.error !== undefined) logger.error({ ...fields(record), err: record.error }, 'request failed');
      else if (!disabled)
        logger.info(fields(record), record.aborted ? 'client closed the connection' : 'response completed');
    },
  };
}

function fields(record: ExchangeRecord): Record<string, unknown> {
  const { id, request, method, status, durationMs, responseBytes } = record;
  return {
    'auth.user.name': record.user,
    'http.request.host': request.headers.host,
    'http.request.id': id,
    'http.request.method': method,
    'http.request.remoteaddr': remoteAddress(request.headers, record.peer),
    'http.request.uri': request.url,
    'http.request.useragent': request.headers['user-agent'],
    'http.response.duration': `${durationMs.toFixed(3)}ms`,
    'http.response.status': status,
    'http.response.written': responseBytes,
  };
}
