/* What a page does with EvaporateJS to bring a file to Brightcove: it has a video created, uploads the file with signatures that it
   asks for, and has the video ingested. These are the calls of Brightcove's own client; the rest of that client is pictures. */
window.Upload = (function () {
  'use strict';

  const MEMBERS = ['accountId', 'region', 'videoId', 'bucket', 'objectKey', 'awsAccessKeyId', 'sessionToken'];

  /* Like Brightcove's client, this takes nothing but 200 for a success. */
  function post(url, body) {
    return new Promise(function (resolve, reject) {
      const request = new XMLHttpRequest();
      request.open('POST', url);
      request.setRequestHeader('Content-Type', 'application/json');
      request.onload = function () {
        if (request.status !== 200) return reject(new Error(`${request.status} ${request.responseText}`));
        return resolve(JSON.parse(request.responseText));
      };
      request.onerror = function () { reject(new Error('the browser let no answer through')); };
      request.send(JSON.stringify(body));
    });
  }

  /* `urls`: create, sign, ingest, bucket and, where the clock may be wrong, time. `hashes`: md5 (base64 of a buffer) and sha256
     (hexadecimal of text). `on`: created, begun (of the uploader and the upload's id), progress. `options`: EvaporateJS's own. */
  async function send(file, urls, hashes, on, options) {
    const video = await post(urls.create, { name: file.name });
    const missing = MEMBERS.filter(function (member) { return typeof video[member] !== 'string' || !video[member]; });
    if (missing.length) throw new Error(`the answer to create lacks ${missing}`);
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
      started: function (id) { if (on.begun) on.begun(evaporate, id); },
      progress: function (part) { if (on.progress) on.progress(part); },
      paused: function () { if (on.paused) on.paused(); },
    });
    const ingested = await post(`${urls.ingest}/${video.videoId}`, { bucket: video.bucket, objectKey: video.objectKey });
    return { video, job: ingested.result.id };
  }

  return { send };
})();
