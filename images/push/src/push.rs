//! The order in which an image reaches a registry: blobs, manifest by digest, bill of materials,
//! and only when all of that stands for every image, tags. Stopped anywhere, it leaves no name.

use mcbn_oci::digest::Digest;
use mcbn_oci::image::Image;
use mcbn_oci::referrer::{self, Referrer};
use mcbn_oci::spec::{self, Descriptor, Index};
use ureq::http::Method;

use crate::client::{Answer, Client};
use crate::destination::Destination;
use crate::error::{Error, Fault};

/// One image, and its bill of materials where there is one.
pub struct Job {
    pub image: Image,
    pub referrer: Option<Referrer>,
}

pub struct Push<'a> {
    pub client: Client,
    pub destination: Destination,
    /// Told each step, for people.
    pub progress: &'a mut dyn FnMut(&str),
    /// How many blobs and manifests were sent.
    pub sent: usize,
}

impl Push<'_> {
    /// Pushes every image; gives their references by digest, in the same order.
    pub fn run(&mut self, jobs: &[Job], tags: &[String]) -> Result<Vec<String>, Error> {
        self.expect_registry()?;
        let repositories: Vec<String> = jobs
            .iter()
            .map(|job| self.destination.repository(job.image.name.as_str()))
            .collect();
        for (job, repository) in jobs.iter().zip(&repositories) {
            self.image(repository, &job.image)?;
        }
        for (job, repository) in jobs.iter().zip(&repositories) {
            if let Some(referrer) = &job.referrer {
                self.referrer(repository, &job.image, referrer)?;
            }
        }
        for (job, repository) in jobs.iter().zip(&repositories) {
            for tag in tags {
                self.manifest(repository, tag, spec::MANIFEST, &job.image.manifest_bytes)?;
            }
        }
        let host = self.destination.origin.authority();
        let reference = |(job, repository): (&Job, &String)| {
            format!("{host}/{repository}@{}", job.image.manifest_digest())
        };
        Ok(jobs.iter().zip(&repositories).map(reference).collect())
    }

    /// The specification's own check: `GET /v2/` gives 200, or 401 to whoever is not known.
    fn expect_registry(&mut self) -> Result<(), Error> {
        let url = self.client.origin().url("/v2/");
        let uri = url.parse().expect("an origin is a URL");
        let status = self.client.probe(&uri)?;
        if matches!(status, 200 | 401) {
            Ok(())
        } else {
            Err(Error::NotARegistry { url, status })
        }
    }

    fn image(&mut self, repository: &str, image: &Image) -> Result<(), Error> {
        self.blob(
            repository,
            "configuration",
            image.config_digest(),
            &image.config_bytes,
        )?;
        self.blob(repository, "layer", image.layer_digest(), &image.layer)?;
        let digest = image.manifest_digest();
        self.manifest(
            repository,
            &digest.to_string(),
            spec::MANIFEST,
            &image.manifest_bytes,
        )
    }

    fn referrer(
        &mut self,
        repository: &str,
        image: &Image,
        referrer: &Referrer,
    ) -> Result<(), Error> {
        let empty = referrer::EMPTY;
        self.blob(repository, "empty configuration", Digest::of(empty), empty)?;
        self.blob(
            repository,
            "bill of materials",
            Digest::of(&referrer.bill),
            &referrer.bill,
        )?;
        let name = referrer.descriptor.digest.to_string();
        self.manifest(repository, &name, spec::MANIFEST, &referrer.manifest_bytes)?;

        let subject = image.manifest_digest();
        let path = format!("referrers/{subject}");
        let answer = self
            .client
            .call(Method::GET, repository, &path, &[], None)?;
        match answer.status {
            200 => Ok(()),
            // [Referrers tag schema](https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema)
            404 => self.referrers_tag(repository, subject, &referrer.descriptor),
            _ => Err(refused(
                format!("asking for the referrers of {subject}"),
                &answer,
            )),
        }
    }

    /// Adds a referrer to the index that stands under a tag made of the subject's digest, for
    /// registries without the referrers API. Two writers at once could lose one entry of two;
    /// the next push puts it back.
    fn referrers_tag(
        &mut self,
        repository: &str,
        subject: Digest,
        referrer: &Descriptor,
    ) -> Result<(), Error> {
        let tag = format!("sha256-{}", subject.hex());
        let doing = format!("reading the index of referrers {tag}");
        let path = format!("manifests/{tag}");
        let accept = [("Accept", spec::INDEX)];
        let answer = self
            .client
            .call(Method::GET, repository, &path, &accept, None)?;
        let mut manifests = match answer.status {
            200 => {
                let index: Index = serde_json::from_slice(&answer.body).map_err(|error| {
                    let fault = Fault::NotAnIndex(error);
                    Error::Misbehaved {
                        doing: doing.clone(),
                        fault,
                    }
                })?;
                index.manifests
            }
            404 => Vec::new(),
            _ => return Err(refused(doing, &answer)),
        };
        if manifests
            .iter()
            .any(|listed| listed.digest == referrer.digest)
        {
            return Ok(());
        }
        manifests.push(referrer.clone());
        let index =
            serde_json::to_vec(&Index::of(manifests)).expect("strings and maps become JSON");
        self.manifest(repository, &tag, spec::INDEX, &index)
    }

    fn blob(
        &mut self,
        repository: &str,
        what: &str,
        digest: Digest,
        content: &[u8],
    ) -> Result<(), Error> {
        let doing = || format!("uploading the {what} of {repository}");
        let path = format!("blobs/{digest}");
        let answer = self
            .client
            .call(Method::HEAD, repository, &path, &[], None)?;
        match answer.status {
            // Where blobs are kept elsewhere, the registry points there.
            200 | 302 | 303 | 307 | 308 => {
                self.say(&format!("{repository}: {what} {digest} is there"));
                return Ok(());
            }
            404 => {}
            _ => return Err(refused(doing(), &answer)),
        }
        self.say(&format!(
            "{repository}: {what} {digest}, {} bytes",
            content.len()
        ));
        let answer =
            self.client
                .call(Method::POST, repository, "blobs/uploads/", &[], Some(&[]))?;
        if answer.status != 202 {
            return Err(refused(doing(), &answer));
        }
        let misbehaved = |fault| Error::Misbehaved {
            doing: doing(),
            fault,
        };
        let place = self.client.location(&answer).map_err(misbehaved)?;
        let separator = if place.query().is_some() { '&' } else { '?' };
        let place = format!("{place}{separator}digest={digest}");
        let place = place
            .parse()
            .expect("a URL with one more parameter is a URL");
        let kind = [("Content-Type", "application/octet-stream")];
        let answer = self
            .client
            .call_url(Method::PUT, repository, &place, &kind, Some(content))?;
        if answer.status != 201 {
            return Err(refused(doing(), &answer));
        }
        self.sent += 1;
        Ok(())
    }

    /// Puts a manifest under its digest or a tag, unless that stands there already, and reads
    /// back what the registry keeps.
    fn manifest(
        &mut self,
        repository: &str,
        reference: &str,
        kind: &str,
        content: &[u8],
    ) -> Result<(), Error> {
        let digest = Digest::of(content);
        let doing = || format!("putting {repository} at {reference}");
        let path = format!("manifests/{reference}");
        let accept = [("Accept", kind)];
        let kept = self
            .client
            .call(Method::GET, repository, &path, &accept, None)?;
        if kept.status == 200 && kept.body == content {
            self.say(&format!("{repository}: {reference} is there"));
            return Ok(());
        }
        if !matches!(kept.status, 200 | 404) {
            return Err(refused(doing(), &kept));
        }
        self.say(&format!("{repository}: {reference}"));
        let headers = [("Content-Type", kind)];
        let answer = self
            .client
            .call(Method::PUT, repository, &path, &headers, Some(content))?;
        if answer.status != 201 {
            return Err(refused(doing(), &answer));
        }
        self.sent += 1;
        let kept = self
            .client
            .call(Method::GET, repository, &path, &accept, None)?;
        if kept.status != 200 {
            return Err(refused(doing(), &kept));
        }
        if kept.body != content {
            let found = Digest::of(&kept.body).to_string();
            let fault = Fault::OtherDigest {
                expected: digest,
                found,
            };
            return Err(Error::Misbehaved {
                doing: doing(),
                fault,
            });
        }
        Ok(())
    }

    fn say(&mut self, text: &str) {
        (self.progress)(text);
    }
}

fn refused(doing: String, answer: &Answer) -> Error {
    Error::Refused {
        doing,
        status: answer.status,
        said: answer.said(),
    }
}
