BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0011');
CREATE TABLE audit_events (
        id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        action TEXT NOT NULL,
        subject_kind TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        actor_user_id TEXT,
        actor_credential_id TEXT,
        actor_via TEXT NOT NULL,
        actor_request_id TEXT,
        actor_address TEXT,
        details TEXT NOT NULL,
        CONSTRAINT pk_audit_events PRIMARY KEY (id)
    );
INSERT INTO "audit_events" VALUES('evt_03GANXBiLHA6HhOupsZSZ9',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','tenant.founded','tenant','ten_03GANXBiIsFCoAFFfFNZ4v',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOF4FaMOoaosbQs',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiNyvD2eMDDeluhQ','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x600000000','127.0.0.1','{"display":"bf_key_03GA\u2026XdkP","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMCqvzbho8TvR7d',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiMrLloVCP2FcMEf','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x600000001','127.0.0.1','{"display":"bf_key_03GA\u2026HVBL","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMFeBH2kYSGXoxT',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiKoTAW2ezl4BvS7','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x600000002','127.0.0.1','{"display":"bf_key_03GA\u20269UEJ","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJZkLNHi2MHXpUJ',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiJBli0xth0PrSal','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x600000003','127.0.0.1','{"display":"bf_key_03GA\u20262BKz","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLctR8glAQiuNYU',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiKDbNBJRxz3h9dx','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x600000004','127.0.0.1','{"display":"bf_key_03GA\u2026tphx","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMyo4gXPgImItuP',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiMR8jpzGsqxazHu','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x600000005','127.0.0.1','{"display":"bf_key_03GA\u2026fdyA","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiL3hNbfPJibgl71',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiM51SIRATOTVgB8','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x600000006','127.0.0.1','{"display":"bf_key_03GA\u20260rP6","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLQh8zXOisqatT3',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiO4G3raVJzJ6z4R','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x600000007','127.0.0.1','{"display":"bf_key_03GA\u2026jUzw","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNAH7X4hrJQVe5C',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiNs5DLHIMsArTTa','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x600000008','127.0.0.1','{"display":"bf_key_03GA\u2026qsjp","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJ6hm7p9HXWyVsz',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiM7pepBDZifQgh9','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x600000009','127.0.0.1','{"display":"bf_key_03GA\u2026NQtf","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNELVr6yeIDChM1"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLHfFPyAnselAq6',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.disabled','api_key','key_03GANXBiM51SIRATOTVgB8','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x60000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLZA8EoDHceTONW',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.revoked','api_key','key_03GANXBiO4G3raVJzJ6z4R','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x60000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiL7c0F2nztNFduf',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.rotated','api_key','key_03GANXBiNs5DLHIMsArTTa','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x60000000C','127.0.0.1','{"display":"bf_key_03GA\u2026iGUt","overlap_seconds":60,"successor_id":"key_03GANXBiKGnIIVvgGJXaaT"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJnU46ZNIrFRY4Y',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.rotated','api_key','key_03GANXBiM7pepBDZifQgh9','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x60000000D','127.0.0.1','{"display":"bf_key_03GA\u2026PNEZ","overlap_seconds":3600,"successor_id":"key_03GANXBiLd1mWoVgeVPxLm"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOEXCpgIFzqOSZx',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.revoked','api_key','key_03GANXBiM7pepBDZifQgh9','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x60000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLB4ROg6PahEUCF',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','user.created','user','usr_03GANXBiMFXJlPmUi3Ac5r','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x60000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMiRMWf6Alh6LOW',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','api_key.created','api_key','key_03GANXBiLqUOuj3tR8AQgf','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x60000000G','127.0.0.1','{"display":"bf_key_03GA\u2026iwZ2","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMFXJlPmUi3Ac5r"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKbJ8FalnDyBIDu',1900000000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','user.changed','user','usr_03GANXBiMFXJlPmUi3Ac5r','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','api','req_5d2PlFcUpNj7x60000000H','127.0.0.1','{"status":"disabled"}');
CREATE TABLE authorization_codes (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        session_id TEXT,
        redirect_uri TEXT NOT NULL,
        redirect_uri_given BOOLEAN NOT NULL,
        code_challenge TEXT,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        authenticated_at BIGINT NOT NULL,
        methods TEXT NOT NULL,
        acr TEXT,
        nonce TEXT,
        claims TEXT NOT NULL,
        jkt TEXT,
        grant_id TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_authorization_codes PRIMARY KEY (digest),
        CONSTRAINT fk_authorization_codes_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT ck_authorization_codes_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_authorization_codes_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE "changes" (
        sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        transaction_id BIGINT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT ck_changes_kind CHECK (kind IN ('credential_created', 'credential', 'user', 'tenant', 'plan', 'signing_key'))
    );
INSERT INTO "changes" VALUES(1,0,'plan','free',1900000000000000);
INSERT INTO "changes" VALUES(2,0,'plan','pro',1900000000000000);
INSERT INTO "changes" VALUES(3,0,'plan','enterprise',1900000000000000);
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiIsFCoAFFfFNZ4v',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiNELVr6yeIDChM1',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiN3sBK0MOTBumqC',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiNyvD2eMDDeluhQ',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiMrLloVCP2FcMEf',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiKoTAW2ezl4BvS7',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiJBli0xth0PrSal',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiKDbNBJRxz3h9dx',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiMR8jpzGsqxazHu',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiM51SIRATOTVgB8',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiO4G3raVJzJ6z4R',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiNs5DLHIMsArTTa',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiM7pepBDZifQgh9',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiM51SIRATOTVgB8',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiO4G3raVJzJ6z4R',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiNs5DLHIMsArTTa',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiKGnIIVvgGJXaaT',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiM7pepBDZifQgh9',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiLd1mWoVgeVPxLm',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiM7pepBDZifQgh9',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiLd1mWoVgeVPxLm',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiMFXJlPmUi3Ac5r',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiLqUOuj3tR8AQgf',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiMFXJlPmUi3Ac5r',1900000000000000);
CREATE TABLE client_secrets (
        id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        name TEXT NOT NULL,
        display TEXT NOT NULL,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT,
        CONSTRAINT pk_client_secrets PRIMARY KEY (id),
        CONSTRAINT ck_client_secrets_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_client_secrets_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_client_secrets_client_id FOREIGN KEY(client_id) REFERENCES clients (id),
        CONSTRAINT uq_client_secrets_digest UNIQUE (digest)
    );
CREATE TABLE clients (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        grant_types TEXT NOT NULL,
        response_types TEXT NOT NULL,
        redirect_uris TEXT NOT NULL,
        post_logout_redirect_uris TEXT NOT NULL,
        scopes TEXT NOT NULL,
        audiences TEXT NOT NULL,
        token_endpoint_auth_method VARCHAR(32) NOT NULL,
        jwks TEXT NOT NULL,
        metadata TEXT NOT NULL,
        require_pkce BOOLEAN NOT NULL,
        first_party BOOLEAN NOT NULL,
        dpop_bound BOOLEAN NOT NULL,
        token_format VARCHAR(32) NOT NULL,
        access_token_seconds BIGINT,
        registered BOOLEAN NOT NULL,
        registration_digest BLOB,
        registration_pepper_id TEXT,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_clients PRIMARY KEY (id),
        CONSTRAINT fk_clients_tenant_id_id FOREIGN KEY(tenant_id, id) REFERENCES users (tenant_id, id),
        CONSTRAINT ck_clients_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_clients_access_token_seconds CHECK (access_token_seconds > 0),
        CONSTRAINT ck_clients_registration_pepper_id
            CHECK ((registration_digest IS NULL) = (registration_pepper_id IS NULL)),
        CONSTRAINT ck_clients_token_endpoint_auth_method
            CHECK (token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none')),
        CONSTRAINT ck_clients_token_format CHECK (token_format IN ('opaque', 'jwt'))
    );
CREATE TABLE consents (
        id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_consents PRIMARY KEY (id),
        CONSTRAINT fk_consents_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT uq_consents_user_id_client_id UNIQUE (user_id, client_id),
        CONSTRAINT fk_consents_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE credentials (
        id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        plan TEXT,
        status VARCHAR(32) NOT NULL,
        expires_at BIGINT,
        overlap_ends_at BIGINT,
        parent_id TEXT,
        root_id TEXT NOT NULL,
        allowed_ips TEXT NOT NULL,
        metadata TEXT NOT NULL,
        display TEXT NOT NULL,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        last_used_at BIGINT,
        revoked_at BIGINT,
        revocation_reason TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_credentials_bearer_token_seconds CHECK (bearer_token_seconds > 0), client_id TEXT, audiences TEXT, jkt TEXT, act TEXT,
        CONSTRAINT pk_credentials PRIMARY KEY (id),
        CONSTRAINT fk_credentials_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
        CONSTRAINT fk_credentials_tenant_id_parent_id FOREIGN KEY(tenant_id, parent_id) REFERENCES credentials (tenant_id, id),
        CONSTRAINT uq_credentials_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT ck_credentials_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_credentials_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_credentials_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_credentials_metadata_length CHECK (length(metadata) <= 131072),
        CONSTRAINT ck_credentials_lineage CHECK ((parent_id IS NULL) = (root_id = id)),
        CONSTRAINT ck_credentials_revoked CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
        CONSTRAINT ck_credentials_revocation_reason CHECK (revocation_reason IS NULL OR status = 'revoked'),
        CONSTRAINT ck_credentials_kind CHECK (kind IN ('api_key', 'bearer_token', 'personal_access_token', 'oauth_access_token', 'jwt_session')),
        CONSTRAINT fk_credentials_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL,
        CONSTRAINT ck_credentials_status CHECK (status IN ('active', 'disabled', 'revoked')),
        CONSTRAINT uq_credentials_digest UNIQUE (digest)
    );
INSERT INTO "credentials" VALUES('key_03GANXBiN3sBK0MOTBumqC','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiN3sBK0MOTBumqC','','{}','bf_key_03GA…jwbK','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'9F9C0AF574E876E02CD10AE92678D29165DB7973BB872344AF0B4A95520CADB0','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiNyvD2eMDDeluhQ','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiNyvD2eMDDeluhQ','','{}','bf_key_03GA…XdkP','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'192CB4ECDC5887F5BD22DD59F80A86472312A59C8BDBDE09B621C78D17DA3E69','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiMrLloVCP2FcMEf','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiMrLloVCP2FcMEf','','{}','bf_key_03GA…HVBL','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'A12FA97C981A53C74F0B1E3CFF7CB7E29EE4326B59808C0726F45AD559FFB232','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiKoTAW2ezl4BvS7','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiKoTAW2ezl4BvS7','192.0.2.0/24','{}','bf_key_03GA…9UEJ','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'B5DA913DC62057EC203DA843CA008A50A709D7EDD3EA3389E96B29250DE97838','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiJBli0xth0PrSal','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJBli0xth0PrSal','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…2BKz','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'2668CE7A1A31392E27F937473BCD9D9F90E86C51AE45E8719E01D1DE662BEA51','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiKDbNBJRxz3h9dx','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiKDbNBJRxz3h9dx','','{}','bf_key_03GA…tphx','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'D8B7165F1097B841A77375A0171FF4C8EBF42CE2EEB29CDCF00D807A24F82721','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiMR8jpzGsqxazHu','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiMR8jpzGsqxazHu','','{}','bf_key_03GA…fdyA','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'11D346E747187265E44E000AB38355A8A46FEC1F55365AAB82D1686A10921CB2','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiM51SIRATOTVgB8','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiM51SIRATOTVgB8','','{}','bf_key_03GA…0rP6','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'0F8E201531376607686EA739E60165D0A29807067CBA6DDC81FA9FCB43680B8A','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiO4G3raVJzJ6z4R','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiO4G3raVJzJ6z4R','','{}','bf_key_03GA…jUzw','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'AA4C3B8D7A94185EB7C1B150B613CEFFCDB9C3A2E5F32510E0C176691CEEDFDE','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiNs5DLHIMsArTTa','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiNs5DLHIMsArTTa','','{}','bf_key_03GA…qsjp','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'D924714F3A3063B54084F235CDD889587F74ED683FDD8004D1A083841811E6B8','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiM7pepBDZifQgh9','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiM7pepBDZifQgh9','','{}','bf_key_03GA…NQtf','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'C506D80398C8CAC85605A903A50E5BEBF97D369CAF0FE7EB58993D19015E7092','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiKGnIIVvgGJXaaT','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiNs5DLHIMsArTTa','key_03GANXBiNs5DLHIMsArTTa','','{}','bf_key_03GA…iGUt','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'1AA600C02325D97456CCA878C0529C259450BA990A892C6BA7E0ED80373EEAED','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiLd1mWoVgeVPxLm','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiM7pepBDZifQgh9','key_03GANXBiM7pepBDZifQgh9','','{}','bf_key_03GA…PNEZ','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'A185652D4469F2B15E4BDE2520A1AE4CDC5661BFAFFF60D852D2270CA035A2D7','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiLqUOuj3tR8AQgf','api_key','ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiMFXJlPmUi3Ac5r','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiLqUOuj3tR8AQgf','','{}','bf_key_03GA…iwZ2','usr_03GANXBiNELVr6yeIDChM1',1900000000000000,1900000000000000,NULL,NULL,NULL,X'1CC33A5698EAC815F20E433E5E4E95C5C1BE6AD63A00ACD41D0CDA51104BAA62','e18a51f90c52',NULL,NULL,'',NULL,'{}');
CREATE TABLE denials (
        request_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT,
        user_id TEXT,
        credential_id TEXT,
        kind TEXT,
        reason TEXT NOT NULL,
        refused_by TEXT NOT NULL,
        figures TEXT NOT NULL,
        CONSTRAINT pk_denials PRIMARY KEY (request_id)
    );
CREATE TABLE device_codes (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        user_code_digest BLOB NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        interval_seconds BIGINT NOT NULL,
        polled_at BIGINT,
        user_id TEXT,
        session_id TEXT,
        authenticated_at BIGINT,
        methods TEXT NOT NULL,
        nonce TEXT,
        address TEXT,
        grant_id TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_device_codes PRIMARY KEY (digest),
        CONSTRAINT ck_device_codes_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_device_codes_user_code_digest_length CHECK (length(user_code_digest) = 32),
        CONSTRAINT ck_device_codes_user_id CHECK (user_id IS NOT NULL OR status = 'pending'),
        CONSTRAINT ck_device_codes_grant_id CHECK ((grant_id IS NOT NULL) = (status = 'redeemed')),
        CONSTRAINT ck_device_codes_interval_seconds CHECK (interval_seconds > 0),
        CONSTRAINT uq_device_codes_user_code_digest UNIQUE (user_code_digest),
        CONSTRAINT fk_device_codes_client_id FOREIGN KEY(client_id) REFERENCES clients (id),
        CONSTRAINT ck_device_codes_status CHECK (status IN ('pending', 'approved', 'denied', 'redeemed'))
    );
CREATE TABLE expiry_notices (
        credential_id TEXT NOT NULL,
        ends_at BIGINT NOT NULL,
        days BIGINT NOT NULL,
        CONSTRAINT pk_expiry_notices PRIMARY KEY (credential_id, ends_at, days)
    );
CREATE TABLE feed_bounds (
        id BIGINT NOT NULL,
        pruned_through BIGINT NOT NULL,
        CONSTRAINT pk_feed_bounds PRIMARY KEY (id),
        CONSTRAINT ck_feed_bounds_single CHECK (id = 1)
    );
INSERT INTO "feed_bounds" VALUES(1,0);
CREATE TABLE foreign_digests (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        prefix TEXT,
        hash TEXT,
        CONSTRAINT pk_foreign_digests PRIMARY KEY (digest),
        CONSTRAINT ck_foreign_digests_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_foreign_digests_hash CHECK ((prefix IS NULL) = (hash IS NULL))
    ) WITHOUT ROWID
    ;
CREATE TABLE foreign_rules (
        id TEXT NOT NULL,
        scheme VARCHAR(32) NOT NULL,
        sealed_key BLOB NOT NULL,
        prefix_length BIGINT NOT NULL,
        CONSTRAINT pk_foreign_rules PRIMARY KEY (id),
        CONSTRAINT ck_foreign_rules_scheme CHECK (scheme IN ('plain', 'sha256', 'sha512', 'hmac-sha256', 'hash'))
    );
CREATE TABLE grant_refresh_tokens (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        grant_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        successor BLOB,
        sealed_answer BLOB,
        CONSTRAINT pk_grant_refresh_tokens PRIMARY KEY (digest),
        CONSTRAINT ck_grant_refresh_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_grant_refresh_tokens_successor CHECK ((spent_at IS NULL) = (successor IS NULL)),
        CONSTRAINT ck_grant_refresh_tokens_sealed_answer
            CHECK (sealed_answer IS NULL OR spent_at IS NOT NULL),
        CONSTRAINT fk_grant_refresh_tokens_grant_id FOREIGN KEY(grant_id)
            REFERENCES grants (id) ON DELETE CASCADE
    );
CREATE TABLE grants (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        session_id TEXT,
        scopes TEXT NOT NULL,
        resources TEXT NOT NULL,
        authenticated_at BIGINT,
        methods TEXT NOT NULL,
        acr TEXT,
        nonce TEXT,
        claims TEXT NOT NULL,
        jkt TEXT,
        created_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CONSTRAINT pk_grants PRIMARY KEY (id),
        CONSTRAINT fk_grants_id FOREIGN KEY(id) REFERENCES credentials (id) ON DELETE CASCADE,
        CONSTRAINT fk_grants_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE guesses (
        subject TEXT NOT NULL,
        failures BIGINT NOT NULL,
        refused_until_us BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_guesses PRIMARY KEY (subject),
        CONSTRAINT ck_guesses_failures CHECK (failures >= 0)
    );
CREATE TABLE idempotency_claims (
        key_digest BLOB NOT NULL,
        request_digest BLOB NOT NULL,
        sealed_answer BLOB NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_idempotency_claims PRIMARY KEY (key_digest)
    );
CREATE TABLE initial_access_tokens (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        display TEXT NOT NULL,
        scopes TEXT NOT NULL,
        uses_left BIGINT,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_initial_access_tokens PRIMARY KEY (id),
        CONSTRAINT ck_initial_access_tokens_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_initial_access_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_initial_access_tokens_uses_left CHECK (uses_left >= 0),
        CONSTRAINT fk_initial_access_tokens_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT uq_initial_access_tokens_digest UNIQUE (digest)
    );
CREATE TABLE known_places (
        user_id TEXT NOT NULL,
        place TEXT NOT NULL,
        seen_at BIGINT NOT NULL,
        CONSTRAINT pk_known_places PRIMARY KEY (user_id, place),
        CONSTRAINT fk_known_places_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    );
CREATE TABLE limit_holders (
        subject TEXT NOT NULL,
        holder TEXT NOT NULL,
        units BIGINT NOT NULL,
        until_us BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_holders PRIMARY KEY (subject, holder),
        CONSTRAINT ck_limit_holders_units CHECK (units > 0)
    );
CREATE TABLE limit_windows (
        subject TEXT NOT NULL,
        hour_ends_us BIGINT NOT NULL,
        hour_used BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        burst_used BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_windows PRIMARY KEY (subject),
        CONSTRAINT ck_limit_windows_hour CHECK (hour_used >= 0),
        CONSTRAINT ck_limit_windows_burst CHECK (burst_used >= 0)
    );
CREATE TABLE one_time_secrets (
        id TEXT NOT NULL,
        purpose VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        email_folded TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_by TEXT,
        failures BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        redeemed_at BIGINT,
        CONSTRAINT pk_one_time_secrets PRIMARY KEY (id),
        CONSTRAINT uq_one_time_secrets_digest UNIQUE (digest),
        CONSTRAINT fk_one_time_secrets_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT ck_one_time_secrets_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_one_time_secrets_failures CHECK (failures >= 0),
        CONSTRAINT ck_one_time_secrets_purpose CHECK (purpose IN ('invitation', 'password_reset', 'login'))
    );
CREATE TABLE passkeys (
        id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        credential_id BLOB NOT NULL,
        public_key BLOB NOT NULL,
        sign_count BIGINT NOT NULL,
        transports TEXT NOT NULL,
        aaguid TEXT NOT NULL,
        name TEXT NOT NULL,
        backup_eligible BOOLEAN NOT NULL,
        backed_up BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        last_used_at BIGINT,
        suspected_at BIGINT,
        CONSTRAINT pk_passkeys PRIMARY KEY (id),
        CONSTRAINT uq_passkeys_credential_id UNIQUE (credential_id),
        CONSTRAINT fk_passkeys_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT ck_passkeys_credential_id_length CHECK (length(credential_id) BETWEEN 1 AND 1023),
        CONSTRAINT ck_passkeys_sign_count CHECK (sign_count >= 0),
        CONSTRAINT ck_passkeys_backed_up CHECK (backup_eligible OR NOT backed_up),
        CONSTRAINT ck_passkeys_name_length CHECK (length(name) BETWEEN 1 AND 100)
    );
CREATE TABLE passwords (
        user_id TEXT NOT NULL,
        user_kind VARCHAR(32) NOT NULL,
        hash TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_passwords PRIMARY KEY (user_id),
        CONSTRAINT fk_passwords_user_id_user_kind FOREIGN KEY(user_id, user_kind) REFERENCES users (id, kind),
        CONSTRAINT ck_passwords_person CHECK (user_kind = 'person'),
        CONSTRAINT ck_passwords_hash_length CHECK (length(hash) BETWEEN 1 AND 1024),
        CONSTRAINT ck_passwords_user_kind CHECK (user_kind IN ('person', 'service'))
    );
INSERT INTO "passwords" VALUES('usr_03GANXBiNELVr6yeIDChM1','person','$argon2id$v=19$m=8,t=1,p=1$WGpI+3x91Jw0zmIlBqOFmw$kgkMbHq17sK5ony71IvMtVhw2v+5lgdDaIOmzwn3xXE',1900000000000000);
CREATE TABLE plans (
        name TEXT NOT NULL,
        requests_per_hour BIGINT,
        burst BIGINT,
        per_method TEXT NOT NULL,
        count_by VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_plans_bearer_token_seconds CHECK (bearer_token_seconds > 0),
        CONSTRAINT pk_plans PRIMARY KEY (name),
        CONSTRAINT ck_plans_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_plans_requests_per_hour CHECK (requests_per_hour >= 0),
        CONSTRAINT ck_plans_burst CHECK (burst >= 0),
        CONSTRAINT ck_plans_count_by CHECK (count_by IN ('credential', 'user', 'tenant'))
    );
INSERT INTO "plans" VALUES('free',1000,50,'{"api_key":1000,"bearer_token":2000,"jwt_session":2000,"oauth_access_token":5000,"personal_access_token":1000}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('pro',10000,200,'{}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('enterprise',NULL,1000,'{}','credential',1900000000000000,1900000000000000,NULL);
CREATE TABLE pushed_requests (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        parameters TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        CONSTRAINT pk_pushed_requests PRIMARY KEY (digest),
        CONSTRAINT ck_pushed_requests_digest_length CHECK (length(digest) = 32),
        CONSTRAINT fk_pushed_requests_client_id FOREIGN KEY(client_id) REFERENCES clients (id)
    );
CREATE TABLE recovery_codes (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        redeemed_at BIGINT,
        CONSTRAINT pk_recovery_codes PRIMARY KEY (digest),
        CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT ck_recovery_codes_digest_length CHECK (length(digest) = 32)
    );
CREATE TABLE refresh_tokens (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        session_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        successor BLOB,
        sealed_answer BLOB,
        CONSTRAINT pk_refresh_tokens PRIMARY KEY (digest),
        CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
        CONSTRAINT ck_refresh_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_refresh_tokens_successor CHECK ((spent_at IS NULL) = (successor IS NULL)),
        CONSTRAINT ck_refresh_tokens_sealed_answer CHECK (sealed_answer IS NULL OR spent_at IS NOT NULL)
    );
CREATE TABLE sessions (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        device TEXT NOT NULL,
        address TEXT,
        methods TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        authenticated_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CONSTRAINT pk_sessions PRIMARY KEY (id),
        CONSTRAINT fk_sessions_id FOREIGN KEY(id) REFERENCES credentials (id) ON DELETE CASCADE,
        CONSTRAINT ck_sessions_device_length CHECK (length(device) <= 255)
    );
CREATE TABLE "signing_keys" (
        kid TEXT NOT NULL,
        algorithm VARCHAR(32) NOT NULL,
        status VARCHAR(32) NOT NULL,
        public_jwk TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        activated_at BIGINT,
        retired_at BIGINT,
        published_until BIGINT,
        CONSTRAINT pk_signing_keys PRIMARY KEY (kid),
        CONSTRAINT ck_signing_keys_algorithm CHECK (algorithm IN ('EdDSA', 'ES256', 'RS256')),
        CONSTRAINT ck_signing_keys_status CHECK (status IN ('next', 'current', 'beside', 'retired')),
        CONSTRAINT ck_signing_keys_retired CHECK ((status = 'retired') = (retired_at IS NOT NULL)),
        CONSTRAINT ck_signing_keys_published_until CHECK ((retired_at IS NULL) = (published_until IS NULL))
    );
CREATE TABLE spent_assertions (
        digest BLOB NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_spent_assertions PRIMARY KEY (digest),
        CONSTRAINT ck_spent_assertions_digest_length CHECK (length(digest) = 32)
    );
CREATE TABLE tenants (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        plan TEXT,
        operator BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, personal_access_token_seconds_max BIGINT
        CONSTRAINT ck_tenants_personal_access_token_seconds_max CHECK (personal_access_token_seconds_max > 0),
        CONSTRAINT pk_tenants PRIMARY KEY (id),
        CONSTRAINT ck_tenants_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_tenants_plan CHECK (plan IS NOT NULL OR status = 'deleted'),
        CONSTRAINT ck_tenants_operator_active CHECK (NOT operator OR status = 'active'),
        CONSTRAINT ck_tenants_status CHECK (status IN ('active', 'disabled', 'deleted')),
        CONSTRAINT fk_tenants_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL
    );
INSERT INTO "tenants" VALUES('ten_03GANXBiIsFCoAFFfFNZ4v','default','active','free',1,1900000000000000,1900000000000000,NULL);
CREATE TABLE totp_factors (
        user_id TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        last_counter BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        confirmed_at BIGINT,
        CONSTRAINT pk_totp_factors PRIMARY KEY (user_id),
        CONSTRAINT fk_totp_factors_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    );
CREATE TABLE usage_counts (
        span BIGINT NOT NULL,
        starts_at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        outcome TEXT NOT NULL,
        requests BIGINT NOT NULL, root_id TEXT,
        CONSTRAINT pk_usage_counts PRIMARY KEY (span, starts_at, tenant_id, user_id, credential_id, outcome),
        CONSTRAINT ck_usage_counts_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_counts_requests CHECK (requests > 0)
    ) WITHOUT ROWID
    ;
INSERT INTO "usage_counts" VALUES(60,1899999960000000,'ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','accepted',18,NULL);
INSERT INTO "usage_counts" VALUES(3600,1899997200000000,'ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','accepted',18,NULL);
INSERT INTO "usage_counts" VALUES(86400,1899936000000000,'ten_03GANXBiIsFCoAFFfFNZ4v','usr_03GANXBiNELVr6yeIDChM1','key_03GANXBiN3sBK0MOTBumqC','accepted',18,NULL);
CREATE TABLE usage_writers (
        id TEXT NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    );
INSERT INTO "usage_writers" VALUES('7cea003e5740528cf120adf12f0ea51a',12,1900000000000000);
CREATE TABLE users (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        email TEXT,
        email_folded TEXT,
        name TEXT NOT NULL,
        role VARCHAR(32) NOT NULL,
        scopes TEXT,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT uq_users_id_kind UNIQUE (id, kind),
        CONSTRAINT ck_users_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_users_email_length CHECK (length(email) BETWEEN 1 AND 320),
        CONSTRAINT ck_users_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_users_email_folded CHECK ((email IS NULL) = (email_folded IS NULL)),
        CONSTRAINT fk_users_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT ck_users_kind CHECK (kind IN ('person', 'service')),
        CONSTRAINT ck_users_role CHECK (role IN ('owner', 'admin', 'member')),
        CONSTRAINT ck_users_status CHECK (status IN ('active', 'disabled', 'deleted'))
    );
INSERT INTO "users" VALUES('usr_03GANXBiNELVr6yeIDChM1','ten_03GANXBiIsFCoAFFfFNZ4v','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiMFXJlPmUi3Ac5r','ten_03GANXBiIsFCoAFFfFNZ4v','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
CREATE INDEX ix_plans_created ON plans (created_at, name);
CREATE INDEX ix_tenants_created ON tenants (created_at, id);
CREATE INDEX ix_tenants_plan ON tenants (plan);
CREATE UNIQUE INDEX uq_tenants_name ON tenants (name) WHERE status <> 'deleted';
CREATE UNIQUE INDEX uq_tenants_operator ON tenants (operator) WHERE operator;
CREATE INDEX ix_users_created ON users (created_at, id);
CREATE INDEX ix_users_tenant_created ON users (tenant_id, created_at, id);
CREATE UNIQUE INDEX uq_users_email ON users (tenant_id, email_folded) WHERE status <> 'deleted';
CREATE INDEX ix_credentials_parent ON credentials (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ix_credentials_plan ON credentials (plan) WHERE plan IS NOT NULL;
CREATE INDEX ix_audit_events_at ON audit_events (at, id);
CREATE INDEX ix_audit_events_subject ON audit_events (subject_id, at, id);
CREATE INDEX ix_audit_events_tenant_at ON audit_events (tenant_id, at, id);
CREATE INDEX ix_idempotency_claims_expires ON idempotency_claims (expires_at);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE INDEX ix_credentials_created ON credentials (kind, created_at, id);
CREATE INDEX ix_credentials_tenant_created ON credentials (tenant_id, kind, created_at, id);
CREATE INDEX ix_credentials_user_created ON credentials (user_id, kind, created_at, id);
CREATE INDEX ix_credentials_token_ends ON credentials (expires_at) WHERE kind IN ('bearer_token', 'jwt_session', 'oauth_access_token');
CREATE INDEX ix_denials_at ON denials (at);
CREATE INDEX ix_expiry_notices_ends ON expiry_notices (ends_at);
CREATE INDEX ix_credentials_key_ends ON credentials (kind, expires_at)
    WHERE kind IN ('api_key', 'personal_access_token') AND expires_at IS NOT NULL
    ;
CREATE INDEX ix_sessions_user_created ON sessions (user_id, created_at, id);
CREATE INDEX ix_sessions_tenant_created ON sessions (tenant_id, created_at, id);
CREATE INDEX ix_refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX ix_refresh_tokens_expires ON refresh_tokens (expires_at);
CREATE INDEX ix_one_time_secrets_user ON one_time_secrets (user_id, purpose);
CREATE INDEX ix_one_time_secrets_expires ON one_time_secrets (expires_at);
CREATE INDEX ix_recovery_codes_user ON recovery_codes (user_id);
CREATE INDEX ix_changes_transaction ON changes (transaction_id);
CREATE INDEX ix_clients_created ON clients (created_at, id);
CREATE INDEX ix_clients_tenant_created ON clients (tenant_id, created_at, id);
CREATE INDEX ix_client_secrets_client ON client_secrets (client_id, created_at, id);
CREATE INDEX ix_grants_client ON grants (client_id, created_at, id);
CREATE INDEX ix_grants_session ON grants (session_id);
CREATE INDEX ix_grants_user ON grants (user_id, created_at, id);
CREATE INDEX ix_grant_refresh_tokens_expires ON grant_refresh_tokens (expires_at);
CREATE INDEX ix_grant_refresh_tokens_grant ON grant_refresh_tokens (grant_id);
CREATE INDEX ix_authorization_codes_expires ON authorization_codes (expires_at);
CREATE INDEX ix_pushed_requests_expires ON pushed_requests (expires_at);
CREATE INDEX ix_device_codes_expires ON device_codes (expires_at);
CREATE INDEX ix_consents_client ON consents (client_id);
CREATE INDEX ix_initial_access_tokens_expires ON initial_access_tokens (expires_at);
CREATE INDEX ix_initial_access_tokens_tenant_created ON initial_access_tokens (tenant_id, created_at, id);
CREATE INDEX ix_spent_assertions_expires ON spent_assertions (expires_at);
CREATE INDEX ix_foreign_digests_prefix ON foreign_digests (prefix) WHERE prefix IS NOT NULL;
CREATE UNIQUE INDEX uq_signing_keys_status ON signing_keys (status) WHERE status IN ('next', 'current');
CREATE INDEX ix_passkeys_user ON passkeys (user_id, created_at, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',27);
COMMIT;
