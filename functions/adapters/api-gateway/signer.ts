import { createHash, createHmac } from 'node:crypto';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

interface Request {
  method: string;
  host: string;
  /** As it goes over the wire, without a query. */
  path: string;
  body: string;
}

/**
 * AWS Signature Version 4 for requests without a query, with the day's key kept: one hash and two HMACs a request.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export class Signer {
  readonly #scope: string;
  readonly #region: string;
  readonly #service: string;
  readonly #credentials: () => Promise<Credentials>;
  #key: { of: string; key: Buffer } | null = null;

  constructor(options: { region: string; service: string; credentials: () => Promise<Credentials> }) {
    this.#region = options.region;
    this.#service = options.service;
    this.#scope = `${options.region}/${options.service}/aws4_request`;
    this.#credentials = options.credentials;
  }

  /** The headers of the request, its signature among them. */
  async sign({ method, host, path, body }: Request, now: Date): Promise<Record<string, string>> {
    const credentials = await this.#credentials();
    const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
    const day = time.slice(0, 8);
    const headers: Record<string, string> = {
      host,
      'x-amz-date': time,
      ...(credentials.sessionToken !== undefined && { 'x-amz-security-token': credentials.sessionToken }),
    };
    const signed = Object.keys(headers).join(';');
    const canonical = [
      method,
      // Once more encoded, each part of the path: every service but S3 has it so.
      path.split('/').map(encoded).join('/'),
      '',
      ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
      '',
      signed,
      sha256(body),
    ].join('\n');
    const text = ['AWS4-HMAC-SHA256', time, `${day}/${this.#scope}`, sha256(canonical)].join('\n');
    const signature = createHmac('sha256', this.#keyOf(credentials.secretAccessKey, day)).update(text).digest('hex');
    const credential = `${credentials.accessKeyId}/${day}/${this.#scope}`;
    return {
      ...headers,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed}, Signature=${signature}`,
    };
  }

  #keyOf(secret: string, day: string): Buffer {
    const of = `${day} ${secret}`;
    if (this.#key?.of !== of) {
      const parts = [day, this.#region, this.#service, 'aws4_request'];
      let key: Buffer = Buffer.from(`AWS4${secret}`);
      for (const part of parts) key = createHmac('sha256', key).update(part).digest();
      this.#key = { of, key };
    }
    return this.#key.key;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** RFC 3986: also what `encodeURIComponent` leaves. */
function encoded(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
