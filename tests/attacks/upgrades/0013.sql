BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0013');
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
INSERT INTO "audit_events" VALUES('evt_03GANXBiO7xYvwfyu4st8n',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','tenant.founded','tenant','ten_03GANXBiIPWRi1PxWjOTCM',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiK1WDpNYXmoov6l',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiJ8xcublAZG2S6Q','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP00000000','127.0.0.1','{"display":"bf_key_03GA\u20261PZ8","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJ1B3sDxXWrjmoM',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiNxKB4AleRVzfqJ','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP00000001','127.0.0.1','{"display":"bf_key_03GA\u20266mOn","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOEFfxR88Suoe31',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiLVcb8UKo2jadqh','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP00000002','127.0.0.1','{"display":"bf_key_03GA\u2026Vkd7","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKN6PXPdry2JXwf',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiKuvLrIA3o8so3l','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP00000003','127.0.0.1','{"display":"bf_key_03GA\u2026Xv4w","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNnGAG5MZVnysYo',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiNjsmrndxwM4k5e','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP00000004','127.0.0.1','{"display":"bf_key_03GA\u2026Te0I","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiISHyLYDjm5lpNt',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiJqF9iIkp3DimTm','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP00000005','127.0.0.1','{"display":"bf_key_03GA\u2026eeMV","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMIPyVEucgLCTq1',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiNZ3EY4DwaztJvo','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP00000006','127.0.0.1','{"display":"bf_key_03GA\u2026Hnr6","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOB7X6PQbSyuqs9',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiIjDakfUSCZBCxL','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP00000007','127.0.0.1','{"display":"bf_key_03GA\u2026e3sF","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiO1g0NNE3HAoulI',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiNl3pqL0Qma1ePg','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP00000008','127.0.0.1','{"display":"bf_key_03GA\u2026N6qd","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMnkH5DNRMRC0vn',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiM2PkWddqWwnr5V','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP00000009','127.0.0.1','{"display":"bf_key_03GA\u2026nsdW","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJQUxM929u9eIOV"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMDi2s6omiqZju8',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.disabled','api_key','key_03GANXBiNZ3EY4DwaztJvo','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP0000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMvc5ZowO8tj0GG',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.revoked','api_key','key_03GANXBiIjDakfUSCZBCxL','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP0000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMl7LnlUDw0MwgG',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.rotated','api_key','key_03GANXBiNl3pqL0Qma1ePg','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP0000000C','127.0.0.1','{"display":"bf_key_03GA\u2026Cni4","overlap_seconds":60,"successor_id":"key_03GANXBiMyIJIh7vRnfGuv"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKp81LCIeNyFMES',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.rotated','api_key','key_03GANXBiM2PkWddqWwnr5V','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP0000000D','127.0.0.1','{"display":"bf_key_03GA\u2026C7ec","overlap_seconds":3600,"successor_id":"key_03GANXBiOA4wd4VU1SqYlb"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiITMfVQEusszlPv',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.revoked','api_key','key_03GANXBiM2PkWddqWwnr5V','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP0000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNZRlHgRIIu2KBM',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','user.created','user','usr_03GANXBiNI50gvqplTM6u3','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP0000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIbnIPFxfDOGNka',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','api_key.created','api_key','key_03GANXBiJqpPI7IL0WeGvp','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP0000000G','127.0.0.1','{"display":"bf_key_03GA\u2026HL33","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNI50gvqplTM6u3"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiInRL9xPeFNmPqE',1900000000000000,'ten_03GANXBiIPWRi1PxWjOTCM','user.changed','user','usr_03GANXBiNI50gvqplTM6u3','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','api','req_3kCQCMl4DzaizP0000000H','127.0.0.1','{"status":"disabled"}');
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
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiIPWRi1PxWjOTCM',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiJQUxM929u9eIOV',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiNYeGSOwbJrvxzl',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiJ8xcublAZG2S6Q',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiNxKB4AleRVzfqJ',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiLVcb8UKo2jadqh',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiKuvLrIA3o8so3l',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiNjsmrndxwM4k5e',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiJqF9iIkp3DimTm',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiNZ3EY4DwaztJvo',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiIjDakfUSCZBCxL',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiNl3pqL0Qma1ePg',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiM2PkWddqWwnr5V',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiNZ3EY4DwaztJvo',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiIjDakfUSCZBCxL',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiNl3pqL0Qma1ePg',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiMyIJIh7vRnfGuv',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiM2PkWddqWwnr5V',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiOA4wd4VU1SqYlb',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiM2PkWddqWwnr5V',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiOA4wd4VU1SqYlb',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiNI50gvqplTM6u3',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiJqpPI7IL0WeGvp',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiNI50gvqplTM6u3',1900000000000000);
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
INSERT INTO "credentials" VALUES('key_03GANXBiNYeGSOwbJrvxzl','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiNYeGSOwbJrvxzl','','{}','bf_key_03GA…9pn7','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'AB13B517C5F06150D7A7FBFF3414AF4B42BC018F8223ABC420AE94187F17CF2D','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiJ8xcublAZG2S6Q','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJ8xcublAZG2S6Q','','{}','bf_key_03GA…1PZ8','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,NULL,NULL,X'692D95897D195E49962824C22098C18D8DA65792368B0E03BF3B165F74387E1A','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiNxKB4AleRVzfqJ','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiNxKB4AleRVzfqJ','','{}','bf_key_03GA…6mOn','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,NULL,NULL,X'3446F9A19F42604498550686FFFABDD635B499AD500A83262AD363E63E7044D2','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiLVcb8UKo2jadqh','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiLVcb8UKo2jadqh','192.0.2.0/24','{}','bf_key_03GA…Vkd7','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,NULL,NULL,X'7023D073E767CAC0D53C435F9DF211802493B4B68DC690879BF3C5FBADEE1B4B','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiKuvLrIA3o8so3l','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiKuvLrIA3o8so3l','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…Xv4w','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,NULL,NULL,X'C31E5EF40887F913DF1878D18710C1DC5E02478147BC391B484613A7C7C6AB74','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiNjsmrndxwM4k5e','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiNjsmrndxwM4k5e','','{}','bf_key_03GA…Te0I','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,NULL,NULL,X'4C35D9ECB41C2B6F8806BAFA1365436D38476B3EA73B0C57C9D123EC2C81885E','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiJqF9iIkp3DimTm','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiJqF9iIkp3DimTm','','{}','bf_key_03GA…eeMV','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,NULL,NULL,X'90494E3902949CF98210EE34E593506F68250C3E17C7EDB36F552E75756807CD','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiNZ3EY4DwaztJvo','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiNZ3EY4DwaztJvo','','{}','bf_key_03GA…Hnr6','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,NULL,NULL,X'B49D7AD5DCAFE5ED35D49906D0077C8C8FFAC05F5B50A8C1339C4339C58AC015','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiIjDakfUSCZBCxL','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiIjDakfUSCZBCxL','','{}','bf_key_03GA…e3sF','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'B9A5938F56C8841C15D376594A1FA9AE05CCBAD3F44E3B40E8C7EC70DEB286AA','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiNl3pqL0Qma1ePg','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiNl3pqL0Qma1ePg','','{}','bf_key_03GA…N6qd','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,NULL,NULL,X'1C7AF16EBEBF63C51F33A444F1408B10EA97B4E387D97F514D86B3B93D1FE14A','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiM2PkWddqWwnr5V','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiM2PkWddqWwnr5V','','{}','bf_key_03GA…nsdW','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'2A493060D17066B1CDBC6B5D8B603196704C4CFB74C6BC12A85532AB473AEA9E','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiMyIJIh7vRnfGuv','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiNl3pqL0Qma1ePg','key_03GANXBiNl3pqL0Qma1ePg','','{}','bf_key_03GA…Cni4','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,NULL,NULL,X'23384998F1109FCEE9F917E8760FBDDE29D15AC9E9CB6DE4C8031B7F26E67A38','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiOA4wd4VU1SqYlb','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiM2PkWddqWwnr5V','key_03GANXBiM2PkWddqWwnr5V','','{}','bf_key_03GA…C7ec','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'3D36DA966FBF770526CEDA852B2C60039612975C226BF5B4B514038CA0CF98D5','e18a51f90c52',NULL,NULL,'',NULL,'{}');
INSERT INTO "credentials" VALUES('key_03GANXBiJqpPI7IL0WeGvp','api_key','ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiNI50gvqplTM6u3','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJqpPI7IL0WeGvp','','{}','bf_key_03GA…HL33','usr_03GANXBiJQUxM929u9eIOV',1900000000000000,1900000000000000,NULL,NULL,NULL,X'ED1301AE88F6DD0BA64FFDAD8AC0932A7BAED20D967B63E3DD73F0B61BEC1465','e18a51f90c52',NULL,NULL,'',NULL,'{}');
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
CREATE TABLE letters (
        id TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        tries BIGINT NOT NULL,
        CONSTRAINT pk_letters PRIMARY KEY (id),
        CONSTRAINT ck_letters_tries CHECK (tries >= 0)
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
INSERT INTO "passwords" VALUES('usr_03GANXBiJQUxM929u9eIOV','person','$argon2id$v=19$m=8,t=1,p=1$7H73lA6bqxtlOgi8X6CCsw$6MYgZx9vODiwR2uHkQ+OuyDV7pn4swm3YAfo478RDQ8',1900000000000000);
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
INSERT INTO "tenants" VALUES('ten_03GANXBiIPWRi1PxWjOTCM','default','active','free',1,1900000000000000,1900000000000000,NULL);
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
INSERT INTO "usage_counts" VALUES(60,1899999960000000,'ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','accepted',18,NULL);
INSERT INTO "usage_counts" VALUES(3600,1899997200000000,'ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','accepted',18,NULL);
INSERT INTO "usage_counts" VALUES(86400,1899936000000000,'ten_03GANXBiIPWRi1PxWjOTCM','usr_03GANXBiJQUxM929u9eIOV','key_03GANXBiNYeGSOwbJrvxzl','accepted',18,NULL);
CREATE TABLE usage_writers (
        id TEXT NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    );
INSERT INTO "usage_writers" VALUES('af3e233adad7196ef9060390ef656868',6,1900000000000000);
CREATE TABLE used_scopes (
        credential_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        first_used_at BIGINT NOT NULL,
        CONSTRAINT pk_used_scopes PRIMARY KEY (credential_id, scope)
    );
INSERT INTO "used_scopes" VALUES('key_03GANXBiNYeGSOwbJrvxzl','write',1900000000000000);
INSERT INTO "used_scopes" VALUES('key_03GANXBiNYeGSOwbJrvxzl','admin',1900000000000000);
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
INSERT INTO "users" VALUES('usr_03GANXBiJQUxM929u9eIOV','ten_03GANXBiIPWRi1PxWjOTCM','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiNI50gvqplTM6u3','ten_03GANXBiIPWRi1PxWjOTCM','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
CREATE TABLE webhook_deliveries (
        webhook_id TEXT NOT NULL,
        event_id TEXT NOT NULL,
        action TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        tries BIGINT NOT NULL,
        attempts TEXT NOT NULL,
        CONSTRAINT pk_webhook_deliveries PRIMARY KEY (webhook_id, event_id),
        CONSTRAINT ck_webhook_deliveries_status CHECK (status IN ('waiting', 'delivered', 'failed')),
        CONSTRAINT ck_webhook_deliveries_tries CHECK (tries >= 0)
    );
CREATE TABLE webhooks (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        url TEXT NOT NULL,
        events TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        disabled_because TEXT,
        failures BIGINT NOT NULL,
        failing_since BIGINT,
        quiet_until BIGINT,
        sealed_secret BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        old_sealed_secret BLOB NOT NULL,
        old_pepper_id TEXT,
        old_secret_until BIGINT,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_webhooks PRIMARY KEY (id),
        CONSTRAINT fk_webhooks_tenant_id FOREIGN KEY (tenant_id) REFERENCES tenants (id),
        CONSTRAINT fk_webhooks_created_by FOREIGN KEY (created_by) REFERENCES users (id),
        CONSTRAINT ck_webhooks_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_webhooks_url_length CHECK (length(url) BETWEEN 1 AND 2000),
        CONSTRAINT ck_webhooks_status CHECK (status IN ('active', 'disabled')),
        CONSTRAINT ck_webhooks_failures CHECK (failures >= 0)
    );
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
CREATE INDEX ix_letters_due ON letters (due_at, id);
CREATE INDEX ix_webhooks_tenant ON webhooks (tenant_id, created_at, id);
CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at, event_id)
    WHERE status = 'waiting'
    ;
CREATE INDEX ix_webhook_deliveries_webhook ON webhook_deliveries (webhook_id, created_at, event_id);
CREATE INDEX ix_webhook_deliveries_created ON webhook_deliveries (created_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',27);
COMMIT;
