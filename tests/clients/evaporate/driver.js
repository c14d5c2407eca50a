/* Uploads a file to Brightcove with EvaporateJS: creates a video, uploads the file with signatures
   from the signer URL, and ingests the video. Brightcove's own client makes the same calls. */
window.Upload = (function () {
  'use strict';

  const MEMBERS = ['accountId', 'region', 'videoId', 'bucket', 'objectKey', 'awsAccessKeyId', 'sessionToken'];

  /* Only status 200 is a success, as in Brightcove's client. */
  function post(url, body) {
    return new Promise(function (resolve, reject) {
      const request = new XMLHttpRequest();
      request.open('POST', url);
      request.setRequestHeader('Content-Type', 'application/json');
      request.onload = function () {
        if (request.status !== 200) return reject(new Error(`${request.status} ${request.responseText}`));
        return resolve(JSON.parse(request.responseText));
      };
      request.onerror = function () { reject(new Error('the browser blocked the response')); };
      request.send(JSON.stringify(body));
    });
  }

  /* `urls`: create, sign, ingest, bucket and optionally time, to correct the clock. `hashes`: md5 (of
     a buffer, in base64) and sha256 (of a text, in hexadecimal). `on`: the callbacks created(video),
     started(evaporate, uploadId), progress(fraction) and paused(). `options`: for EvaporateJS. */
  async function send(file, urls, hashes, on, options) {
    const video = await post(urls.create, { name: file.name });
    const missing = MEMBERS.filter(function (member) { return typeof video[member] !== 'string' || !video[member]; });
    if (missing.length) throw new Error(`the response to create lacks ${missing}`);
    if (on.created) await on.created(video);

    const evaporate = await window.Evaporate.create(Object.assign({
      signerUrl: `${urls.sign}/${video.videoId}`,
      region: video.region,
      awsRegion: video.region,
      aws_key: video.awsAccessKeyId,
      bucket: video.bucket,
      awsSignatureVersion: '4',
      computeContentMd5: true,
      sendCanonicalRequestToSignerUrl: true,
      logging: false,
      cryptoMd5Method: hashes.md5,
      cryptoHexEncodedHash256: hashes.sha256,
      aws_url: urls.bucket,
      timeUrl: urls.time || null,
      partSize: 5 * 1024 * 1024,
      progressIntervalMS: 100,
    }, options));
    const token = function () { return { 'X-Amz-Security-Token': video.sessionToken }; };
    await evaporate.add({
      name: video.objectKey,
      file,
      xAmzHeadersAtInitiate: token(),
      xAmzHeadersCommon: token(),
      started: function (id) { if (on.started) on.started(evaporate, id); },
      progress: function (fraction) { if (on.progress) on.progress(fraction); },
      paused: function () { if (on.paused) on.paused(); },
    });
    const ingested = await post(`${urls.ingest}/${video.videoId}`, { bucket: video.bucket, objectKey: video.objectKey });
    return { video, job: ingested.result.id };
  }

  return { send };
})();
